import { libraryVariables } from "./library_variables.ts";
import { type Settings, SettingsError } from "./read_settings.ts";
import { type Row, settings } from "./settings.ts";

/** The permissions of a program. The runtime refuses everything else. */
export interface Permissions {
  /** Hosts with ports. */
  readonly net: readonly string[];
  /** Names of environment variables. */
  readonly env: readonly string[];
  /** Paths of files. */
  readonly read: readonly string[];
  /** Facts about the system. */
  readonly sys: readonly string[];
}

/** The source of the AWS credentials. Each source uses different hosts and files. */
export type CredentialSource =
  | "environment"
  | "container"
  | "instance"
  | "web_identity"
  | "profile";

/** Reads an environment variable at compile time. */
export type Lookup = (name: string) => string | undefined;

/** Determines the source that the SDK's default chain would choose from the variables that are set. */
export function detectCredentialSource(get: Lookup): CredentialSource {
  if (get("AWS_ACCESS_KEY_ID")) return "environment";
  if (get("AWS_PROFILE")) return "profile";
  if (get("AWS_WEB_IDENTITY_TOKEN_FILE")) return "web_identity";
  if (get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || get("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    return "container";
  }
  return "instance";
}

/**
 * Derives the minimum permissions that a worker with these settings needs.
 *
 * @throws {SettingsError} the endpoint of AWS is not a URL
 */
export function derivePermissions(
  values: Settings,
  get: Lookup,
  source: CredentialSource = detectCredentialSource(get),
): Permissions {
  const net = new Set<string>();
  const add = (url: URL | undefined, fallbackPort = 443) => {
    if (url) {
      net.add(`${url.hostname}:${url.port || (url.protocol === "http:" ? 80 : fallbackPort)}`);
    }
  };
  const endpoint = readEndpoint(get);
  add(endpoint ?? (values.SQS_QUEUE_URL && replaceLegacyHost(values.SQS_QUEUE_URL)));
  if (!endpoint) add(values.SQS_DLQ_URL && replaceLegacyHost(values.SQS_DLQ_URL));
  add(values.DATABASE_URL, 5432);
  add(values.VAULT_DATABASE_URL, 5432);
  if (values.HTTP_ADDRESS !== "off") {
    const { hostname, port } = values.HTTP_ADDRESS;
    net.add(`${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`);
    // `check --health` uses the loopback address for a worker that listens on all addresses.
    if (hostname === "0.0.0.0" || hostname === "::") net.add(`127.0.0.1:${port}`);
  }
  const credentials = findCredentialNeeds(source, get);
  for (const host of credentials.net) net.add(host);
  return {
    net: [...net],
    env: [...listSettingVariables(), ...libraryVariables],
    read: [...listSettingFiles(get), ...listCertificateFiles(values), ...credentials.read],
    // The SDK sends the operating system to AWS, and reads the home directory if HOME is not set. The
    // audit log records the system user.
    sys: ["osRelease", "homedir", "uid", "gid", "username"],
  };
}

/** Reads the endpoint that the SDK uses instead of the queue's host. */
function readEndpoint(get: Lookup): URL | undefined {
  for (const name of ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"]) {
    const text = get(name);
    if (!text) continue;
    const url = URL.parse(text);
    if (url && /^https?:$/.test(url.protocol)) return url;
    throw new SettingsError([
      `${name}: expected a URL such as https://host:port, got a text that is not one`,
    ]);
  }
  return undefined;
}

/** Replaces the legacy host of a queue's URL by the one that the SDK uses: `sqs.<region>.amazonaws.com`. */
function replaceLegacyHost(url: URL): URL {
  const [, region] = /^([a-z0-9-]+)\.queue\.amazonaws\.com$/.exec(url.hostname) ?? [];
  return region ? new URL(`https://sqs.${region}.amazonaws.com`) : url;
}

/** Formats the permissions as flags of `deno compile`. */
export function toFlags({ net, env, read, sys }: Permissions): string[] {
  const flag = (name: string, values: readonly string[]) =>
    values.length > 0 ? [`--allow-${name}=${values.join(",")}`] : [];
  return [
    ...flag("net", net),
    ...flag("env", env),
    ...flag("read", read),
    ...flag("sys", sys),
    "--no-prompt",
  ];
}

function listSettingVariables(): string[] {
  return Object.entries<Row>(settings).flatMap(([name, row]) =>
    row.secret ? [name, `${name}_FILE`] : [name]
  );
}

function listSettingFiles(get: Lookup): string[] {
  return Object.entries<Row>(settings).flatMap(([name, row]) => {
    const path = row.secret ? get(`${name}_FILE`) : undefined;
    return path ? [path] : [];
  });
}

function listCertificateFiles(values: Settings): string[] {
  return [values.DATABASE_URL, values.VAULT_DATABASE_URL].flatMap((url) => {
    const path = url?.searchParams.get("sslrootcert");
    return path ? [path] : [];
  });
}

function findCredentialNeeds(
  source: CredentialSource,
  get: Lookup,
): { net: string[]; read: string[] } {
  switch (source) {
    case "environment":
      return { net: [], read: [] };
    case "container": {
      // ECS uses this fixed address. EKS Pod Identity sets the full URI (AWS SDKs reference guide).
      const full = URL.parse(get("AWS_CONTAINER_CREDENTIALS_FULL_URI") ?? "");
      const port = full?.port || (full?.protocol === "https:" ? 443 : 80);
      const token = get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
      return {
        net: [full ? `${full.hostname}:${port}` : "169.254.170.2:80"],
        read: token ? [token] : [],
      };
    }
    case "instance":
      return { net: ["169.254.169.254:80"], read: [] };
    case "web_identity": {
      const region = get("AWS_REGION") ?? get("AWS_DEFAULT_REGION") ?? "us-east-1";
      const token = get("AWS_WEB_IDENTITY_TOKEN_FILE");
      return { net: [`sts.${region}.amazonaws.com:443`], read: token ? [token] : [] };
    }
    case "profile": {
      const home = `${get("HOME") ?? ""}/.aws`;
      return {
        net: [],
        read: [
          get("AWS_CONFIG_FILE") ?? `${home}/config`,
          get("AWS_SHARED_CREDENTIALS_FILE") ?? `${home}/credentials`,
        ],
      };
    }
  }
}

/**
 * Returns a problem for each host that the runtime will refuse. A binary can reach only the hosts that it
 * was compiled for. The check at the start reports a wrong setting instead of an outage.
 */
export function findUnreachableHosts(values: Settings, get: Lookup): string[] {
  return derivePermissions(values, get).net.flatMap((host) => {
    const { state } = Deno.permissions.querySync({ name: "net", host });
    return state === "granted" ? [] : [
      `${
        findSettingName(values, host)
      }: this binary was not compiled for ${host}. Recompile it with this setting`,
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
