import type { NamedKey } from "./named_key.ts";

interface Common {
  /** One sentence for people: what it means, with the default's reason where it is not plain. */
  readonly about: string;
  /** The value is shown nowhere, and may come from the file that `<name>_FILE` names. */
  readonly secret?: true;
}

/** One setting: what it may be, and what it is when nothing is said. */
export type Row =
  & Common
  & (
    | { readonly kind: "url"; readonly protocols: readonly string[] }
    | { readonly kind: "keys"; readonly atMost: number }
    | { readonly kind: "choice"; readonly choices: readonly string[]; readonly default: string }
    | { readonly kind: "address"; readonly default: string }
    /** Any text of so many characters (code points); nothing by default. */
    | { readonly kind: "text"; readonly min: number; readonly max: number }
    | {
      readonly kind: "integer";
      readonly unit: string;
      readonly min: number;
      readonly max: number;
      readonly default: number;
    }
  );

/** A host and a port to listen on. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** The type of a row's value once it is read. */
export type ValueOf<R extends Row> = R extends { kind: "url" } ? URL | undefined
  : R extends { kind: "keys" } ? readonly [NamedKey, ...NamedKey[]] | undefined
  : R extends { kind: "choice"; choices: readonly (infer C)[] } ? C
  : R extends { kind: "address" } ? Address | "off"
  : R extends { kind: "text" } ? string | undefined
  : number;
