/**
 * An end that is expected and explained: a wrong key, a lock that another command has, a table that does
 * not fit. Commands print its message and exit with 1, so the message is safe: it has no value of a
 * payload and no secret, and says what to do next.
 *
 * Everything else that is thrown is a bug. Its message may quote what the program was working on (V8's own
 * `RangeError`s do), so commands hide the message and show the stack only.
 */
export class OperationError extends Error {
  override readonly name: string = "OperationError";
}
