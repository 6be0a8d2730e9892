/**
 * The definition of a valid message. A contract is data that all stages use (decode, mask, store, explain,
 * migrate). A second kind of event therefore needs only a second value of this type.
 *
 * @module
 */

/** Text of a bounded length, in characters as Postgres counts them (code points, not UTF-16 units). */
export interface TextRule {
  readonly kind: "text";
  readonly min: number;
  readonly max: number;
  /** Whether the text is trimmed and converted to Unicode NFC before its length is checked. */
  readonly normalize?: boolean;
}

/** An IPv4 or IPv6 address, converted to its canonical form (see `ip_address.ts`). */
export interface IpAddressRule {
  readonly kind: "ip_address";
}

/** A version of one to four numbers, packed into one integer that keeps their order (see `app_version.ts`). */
export interface AppVersionRule {
  readonly kind: "app_version";
}

/** The check of a field's value and its conversion to the canonical form. */
export type Rule = TextRule | IpAddressRule | AppVersionRule;

/** A column of the target table, with the type that `migrate` uses. */
export interface Column {
  readonly name: string;
  readonly type: `varchar(${number})` | "integer" | "date";
}

/** One field of the message and the column that it fills. */
export interface Field {
  /** The key in the JSON object. The mask subkey of a personal field is derived from it. */
  readonly name: string;
  readonly rule: Rule;
  readonly column: Column;
  /** Whether the column stores a mask. The value then never leaves the process in clear text. */
  readonly personal?: boolean;
  /** Whether the field may be absent, `null` or `""`. Each of them is stored as SQL `NULL`. */
  readonly optional?: boolean;
}

/** A kind of event. */
export interface Contract {
  readonly name: string;
  readonly table: { readonly schema: string; readonly name: string };
  readonly fields: readonly Field[];
  /** The column for the UTC date on which the message was sent. */
  readonly sentDate: Column;
  /**
   * The field that identifies the user of an event, by which a user can be forgotten. It is not a personal
   * field. Undefined if events identify no user.
   */
  readonly subject?: string;
  /**
   * The key in the JSON object that identifies an event, if the message id is not sufficient: two messages
   * with the same value are one event (see `readKey()`). It is not a personal field.
   */
  readonly dedupeField?: string;
}
