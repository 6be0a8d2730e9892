/**
 * Why a message is not an event. The code goes to `maskline.rejected`, the sentence to people; neither
 * ever carries a value.
 */
export const reasons = {
  not_json: "The body is not JSON",
  not_an_object: "The body is JSON, but not an object",
  missing: "A field that must be there is not",
  wrong_type: "The field's value is of another JSON type",
  too_short: "The text is shorter than the contract allows",
  too_long: "The text is longer than the contract allows",
  unstorable_text: "The text has U+0000 or a lone surrogate, which Postgres cannot hold",
  not_an_ip_address: "The text is neither an IPv4 nor an IPv6 address",
  not_a_version: "The text is not one to four numbers with dots",
  version_out_of_range: "A number of the version is above 2146 (the first) or 999 (the others)",
  not_a_whole_number: "The number has a fraction, or is beyond 2⁵³ and so not exact",
  store_refused: "Postgres refused the row; its SQLSTATE stands beside",
} as const;

/** A key of {@linkcode reasons}. */
export type Reason = keyof typeof reasons;
