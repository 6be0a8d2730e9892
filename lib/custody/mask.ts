import { readSettings, type Source } from "../config/read_settings.ts";
import type { Field } from "../contract/contract.ts";
import { readValue } from "../contract/read_value.ts";
import type { Reason } from "../contract/reasons.ts";
import { withDatabases } from "../worker/databases.ts";
import { openMasker } from "../worker/keys.ts";
import { type Justification, recordBeforeShowing } from "./audit.ts";

/** The mask of a value, or the reason why the value has none. */
export type MaskResult =
  | { readonly mask: string; readonly isRecorded: boolean }
  | { readonly mask?: never; readonly reason: Reason };

/**
 * Computes the mask of a value in a field by the first key of MASK_KEY. If VAULT_DATABASE_URL or DATABASE_URL is
 * set, the mask is recorded in the audit log first, because a person who can ask for masks can find out whose
 * they are.
 *
 * @param input reads the value, after the settings were checked
 * @throws {SettingsError} MASK_KEY is not set, or a setting is wrong
 * @throws {StoreError} the audit log could not be written, so nothing may be shown
 */
export async function maskValue(
  source: Source,
  { name, rule }: Field,
  input: () => Promise<string>,
  justification: Justification,
): Promise<MaskResult> {
  const settings = readSettings(source, ["MASK_KEY"]);
  const canonical = readValue(rule, await input());
  if (typeof canonical === "object") return canonical;
  if (typeof canonical === "number") return { reason: "wrong_type" };
  const mask = (await openMasker(settings, [name])).mask(name, canonical);
  if (!settings.VAULT_DATABASE_URL && !settings.DATABASE_URL) return { mask, isRecorded: false };
  const subjects = [{ field: name, mask }];
  await withDatabases(
    source,
    { uses: "vault" },
    ({ vault }) => recordBeforeShowing(vault, { action: "mask", subjects, ...justification }),
  );
  return { mask, isRecorded: true };
}
