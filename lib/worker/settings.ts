import { checkSettings } from "../config/check_settings.ts";
import { redactSettings } from "../config/describe_settings.ts";
import { findUnreachableHosts } from "../config/permissions.ts";
import { readSettings, type Settings, type Source } from "../config/read_settings.ts";
import type { SettingName } from "../config/settings.ts";
import { getLogger, startLog } from "../observe/log.ts";
import { checkDedupeField } from "./contract.ts";

/** The settings that a worker requires. */
const WORKER_NEEDS = [
  "SQS_QUEUE_URL",
  "DATABASE_URL",
  "MASK_KEY",
] as const satisfies readonly SettingName[];

/** The settings of a worker: those that it requires are set. */
export type WorkerSettings =
  & Settings
  & { readonly [N in (typeof WORKER_NEEDS)[number]]: NonNullable<Settings[N]> };

/**
 * Reads and checks a worker's settings, and reports all problems at once.
 *
 * @throws {SettingsError} a setting is missing or wrong
 */
export function readWorkerSettings(source: Source): WorkerSettings {
  const settings = readSettings(source, WORKER_NEEDS, (read) => [
    ...checkSettings(read),
    ...checkNoPrivateKey(read),
    ...checkDedupeField(read),
    ...findUnreachableHosts(read, source.get),
  ]);
  return settings as WorkerSettings;
}

/** Refuses the vault's private key, because a stolen worker must not be able to open the vault. */
function checkNoPrivateKey({ VAULT_PRIVATE_KEY }: Settings): readonly string[] {
  return VAULT_PRIVATE_KEY
    ? ["VAULT_PRIVATE_KEY: is set, and a worker must not have it; keep it on another machine"]
    : [];
}

/**
 * Starts the log and writes the settings to it, without the secrets.
 *
 * @param write takes each line
 */
export async function startWorkerLog(
  settings: Settings,
  write: (line: string) => void,
): Promise<void> {
  await startLog({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT, write });
  getLogger("settings").info("Settings", redactSettings(settings));
}
