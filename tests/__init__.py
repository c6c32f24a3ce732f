"""The tests mirror the package: tests/<package>/test_<module>.py tests gradsim/<package>/<module>.py."""
