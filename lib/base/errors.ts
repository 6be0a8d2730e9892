/**
 * Reports an expected failure: a wrong key, a lock of another command, a table with other columns. Commands
 * print its message and exit with 1. The message contains no payload value and no secret, and names the
 * next step.
 *
 * Every other error is a bug. Its message may quote the data that the program processed (V8's own
 * `RangeError`s do), so commands hide the message and show only the stack.
 */
export class OperationError extends Error {
  override readonly name: string = "OperationError";
}
