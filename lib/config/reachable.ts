import type { Settings } from "./read_settings.ts";
import { derivePermissions, type Lookup } from "./permissions.ts";

/**
 * The hosts of these settings that the runtime will refuse, a sentence each. A binary reaches only the
 * hosts that it was made for; said at the start, this is a wrong setting and not an outage.
 */
export function findUnreachableHosts(values: Settings, get: Lookup): string[] {
  return derivePermissions(values, get).net.flatMap((host) => {
    const { state } = Deno.permissions.querySync({ name: "net", host });
    return state === "granted" ? [] : [
      `${
        findSettingName(values, host)
      }: this binary was not made for ${host}; set the hosts where it is compiled`,
    ];
  });
}

function findSettingName(values: Settings, host: string): string {
  for (const name of ["DATABASE_URL", "VAULT_DATABASE_URL"] as const) {
    const url = values[name];
    if (url && host === `${url.hostname}:${url.port || "5432"}`) return name;
  }
  const { HTTP_ADDRESS } = values;
  if (HTTP_ADDRESS !== "off" && host.endsWith(`:${HTTP_ADDRESS.port}`)) return "HTTP_ADDRESS";
  return "SQS_QUEUE_URL or AWS settings";
}
