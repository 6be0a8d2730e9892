/**
 * The reasons of a rejection. The code is stored in `maskline.rejected`, and commands print the sentence.
 * Neither contains a payload value.
 */
export const reasons = {
  not_json: "The body is not JSON",
  not_an_object: "The body is JSON, but not an object",
  missing: "A required field is missing",
  wrong_type: "The field's value has the wrong JSON type",
  too_short: "The text is shorter than the contract allows",
  too_long: "The text is longer than the contract allows",
  unstorable_text: "The text contains U+0000 or a lone surrogate, which the store cannot hold",
  not_an_ip_address: "The text is neither an IPv4 nor an IPv6 address",
  not_a_version: "The text is not one to four numbers separated by dots",
  version_out_of_range:
    "A number of the version is too large: the maximum is 2146 for the first and 999 for the others",
  not_a_whole_number: "The number has a fraction, or is above 2⁵³ and not exact",
  store_refused: "The store refused the row with the code next to this reason",
} as const;

/** A key of {@linkcode reasons}. */
export type Reason = keyof typeof reasons;
