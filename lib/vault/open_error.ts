/** A sealed value did not open. The message says what to look at, and nothing of the value. */
export class OpenError extends Error {
  override readonly name = "OpenError";
}
