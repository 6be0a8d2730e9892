import type { Statement } from "../statement.ts";
import { ledger } from "./0001_ledger.ts";
import { rejected } from "./0002_rejected.ts";
import { dedupe } from "./0003_dedupe.ts";
import { vault } from "./0004_vault.ts";
import { audit } from "./0005_audit.ts";
import { removed } from "./0006_removed.ts";
import { rotation } from "./0007_rotation.ts";

/** One step from an older schema to a newer one. After its release it never changes. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statement: Statement;
}

/** All migrations, oldest first. */
export const migrations: readonly Migration[] = [
  ledger,
  rejected,
  dedupe,
  vault,
  audit,
  removed,
  rotation,
];

/** The schema version that this program needs. */
export const schemaVersionNeeded = migrations.at(-1)?.version ?? 0;
