"""The columns of the tables that make a tape. What an instruction does stands in the file of its kind."""

from __future__ import annotations

OP_LINEAR = 0
OP_ACTIVATION = 1
OP_NORMALIZATION = 2
OP_RESIDUAL_BEGIN = 3
OP_RESIDUAL_END = 4
OP_RECURRENT = 5

# Columns of the instruction table. Offsets count elements from the start of the work buffer or, for
# parameters, of the parameter buffer; -1 stands for "none". A tensor has batch · STEPS rows.
OPCODE = 0
LAYER = 1
STEPS = 2
FAN_IN = 3
FAN_OUT = 4
INPUT = 5
OUTPUT = 6
INPUT_GRADIENT = 7
OUTPUT_GRADIENT = 8
WEIGHT = 9
BIAS = 10
FUNCTION = 11
FUSED = 12
MEASURES_INPUT = 13
MEASURES_INPUT_GRADIENT = 14
# What else an instruction keeps; named below for each kind.
AUX = 15
COLUMNS = 28

# OP_ACTIVATION: φ'(z) lies where the gradient of z will be. WEIGHT and WEIGHT_SIZE are a PReLU's slopes.
SLOPE = INPUT_GRADIENT
SLOPES = WEIGHT
SLOPES_SIZE = AUX

# OP_NORMALIZATION: gamma is WEIGHT, beta BIAS, the method FUNCTION.
NORMALIZED = AUX
MEAN = AUX + 1
INVERSE_SD = AUX + 2
RUNNING_MEAN = AUX + 3
RUNNING_VARIANCE = AUX + 4

# OP_RESIDUAL_BEGIN and OP_RESIDUAL_END: the projection is WEIGHT, the trained scale BIAS.
BRANCH = AUX
BRANCH_GRADIENT = AUX + 1
SKIP = AUX + 2
SKIP_GRADIENT = AUX + 3

# OP_RECURRENT: the input weight is WEIGHT, the cell FUNCTION. HIDDEN is the state after the first step; the
# zero state lies before it, and likewise for CELL.
RECURRENT_WEIGHT = AUX
RECURRENT_BIAS = AUX + 1
Z = AUX + 2
GATES = AUX + 3
GATE_DELTA = AUX + 4
HIDDEN = AUX + 5
HIDDEN_GRADIENT = AUX + 6
CELL = AUX + 7
CELL_GRADIENT = AUX + 8
WORKSPACE = AUX + 9
WORKSPACE_SIZE = AUX + 10
TRUNCATION = AUX + 11
CELL_FUNCTION = AUX + 12

# Columns of the constants beside the instructions.
PARAMETER_0 = 0
PARAMETER_1 = 1
MAXIMAL_SLOPE = 2
CONSTANTS = 3

# Columns of the parameter table: one row per trained tensor.
P_OFFSET = 0
P_ROWS = 1
P_COLUMNS = 2
P_LAYER = 3
P_IS_MEASURED = 4
P_TRAINABLE = 5
P_IS_DECODER = 6  # of the pretraining of its layer
P_FIELDS = 7

# Columns of the table of measured tensors in the work buffer.
M_LAYER = 0
M_TENSOR = 1
M_OFFSET = 2
M_SIZE = 3
M_FIELDS = 4
