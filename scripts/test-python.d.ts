/** The environment's interpreter: `TIDEGATE_TEST_PYTHON` (which must have the packages), or that of the environment made here. */
export function pythonPath(): string;
/** A folder for `PYTHONPATH`: with it the interpreter has a DuckDB that can read Delta, and all else as without. */
export function duckdbDeltaFolder(): string;
/** Makes the environment and the folder unless they are there. Several processes may call this at once. */
export function ensurePython(): Promise<void>;
