import type { Io } from "../cli/command.ts";
import { checkSettings } from "../config/check_settings.ts";
import { redactSettings } from "../config/describe_settings.ts";
import { findUnreachableHosts } from "../config/permissions.ts";
import { readSettings, type Settings } from "../config/read_settings.ts";
import type { SettingName } from "../config/settings.ts";
import { getLogger, startLog } from "../observe/log.ts";
import { checkDedupeField } from "./contract.ts";

/** What the worker cannot do without. */
export const WORKER_NEEDS = [
  "SQS_QUEUE_URL",
  "DATABASE_URL",
  "MASK_KEY",
] as const satisfies readonly SettingName[];

/** The settings of a worker, with those that are there for certain. */
export type WorkerSettings =
  & Settings
  & { readonly [N in (typeof WORKER_NEEDS)[number]]: NonNullable<Settings[N]> };

/**
 * Reads and checks a worker's settings, and tells all that is wrong with them in one go.
 *
 * @throws {SettingsError}
 */
export function workerSettings(io: Io): WorkerSettings {
  const settings = readSettings(io.source, WORKER_NEEDS, (read) => [
    ...checkSettings(read),
    ...checkNoPrivateKey(read),
    ...checkDedupeField(read),
    ...findUnreachableHosts(read, io.source.get),
  ]);
  return settings as WorkerSettings;
}

/** A worker that could open the vault would give it away with itself. */
function checkNoPrivateKey({ VAULT_PRIVATE_KEY }: Settings): readonly string[] {
  return VAULT_PRIVATE_KEY
    ? ["VAULT_PRIVATE_KEY: is set, and a worker must not have it; keep it on another machine"]
    : [];
}

/** Starts the log and writes the settings to it, without the secrets. */
export async function startWorkerLog(settings: Settings, io: Io): Promise<void> {
  await startLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT, write: io.err });
  getLogger("settings").info("Settings", redactSettings(settings));
}
