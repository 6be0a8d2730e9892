/**
 * What a message must look like. A contract is data: every stage that follows (decode, mask, store,
 * explain, migrate) reads it, so a second kind of event is a second value of this type and nothing
 * else.
 *
 * @module
 */

/** Text of a bounded length, in characters as Postgres counts them (code points, not UTF-16 units). */
export interface TextRule {
  readonly kind: "text";
  readonly min: number;
  readonly max: number;
  /** White space at both ends is cut and the text is put into Unicode NFC before it is measured. */
  readonly normalize?: boolean;
}

/** An IPv4 or IPv6 address, made canonical (see `ip_address.ts`). */
export interface IpAddressRule {
  readonly kind: "ip_address";
}

/** A version of one to four numbers, packed into one integer that keeps their order (see `app_version.ts`). */
export interface AppVersionRule {
  readonly kind: "app_version";
}

/** How a field's value is checked and brought into its one canonical form. */
export type Rule = TextRule | IpAddressRule | AppVersionRule;

/** A column of the target table, with the type that `migrate` gives it. */
export interface Column {
  readonly name: string;
  readonly type: `varchar(${number})` | "integer" | "date";
}

/** One field of the message and the column that it fills. */
export interface Field {
  /** The key in the JSON object; for a personal field also the name that separates its mask key. */
  readonly name: string;
  readonly rule: Rule;
  readonly column: Column;
  /** The value never leaves the process in clear: a mask goes to the column. */
  readonly personal?: boolean;
  /** `null` and absence are allowed and become SQL `NULL`. */
  readonly optional?: boolean;
}

/** A kind of event. */
export interface Contract {
  readonly name: string;
  readonly table: { readonly schema: string; readonly name: string };
  readonly fields: readonly Field[];
  /** Column that takes the UTC date on which the message was sent. */
  readonly sentDate: Column;
  /**
   * The field that names the person whom an event is about, by which they can be forgotten; not a
   * personal one. None where events name nobody.
   */
  readonly subject?: string;
  /**
   * The key in the JSON object that names an event, where the queue's message id does not do: two
   * messages with the same value are one event (see `read_key.ts`). Not a personal field.
   */
  readonly dedupeField?: string;
}

/** All columns in the order in which rows carry their values: the fields', then the date sent. */
export function listContractColumns(contract: Contract): readonly Column[] {
  return [...contract.fields.map((field) => field.column), contract.sentDate];
}
