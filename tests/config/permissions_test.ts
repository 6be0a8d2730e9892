import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { libraryVariables } from "../../lib/config/library_variables.ts";
import {
  type CredentialSource,
  derivePermissions,
  detectCredentialSource,
  toFlags,
} from "../../lib/config/permissions.ts";
import { readSettings } from "../../lib/config/read_settings.ts";
import { fakeSource } from "../support/fake_io.ts";

type Values = Readonly<Record<string, string>>;

const QUEUE = "https://sqs.eu-west-1.amazonaws.com/1/q";
const base = {
  SQS_QUEUE_URL: QUEUE,
  DATABASE_URL: "postgres://db.example/app",
  HTTP_ADDRESS: "off",
  AWS_ACCESS_KEY_ID: "AKIA",
};

function permissions(changes: Values = {}, source?: CredentialSource) {
  const values: Values = { ...base, ...changes };
  return derivePermissions(readSettings(fakeSource(values), []), (name) => values[name], source);
}

const sources: [source: CredentialSource, variables: Values][] = [
  ["instance", {}],
  ["environment", { AWS_ACCESS_KEY_ID: "AKIA" }],
  ["environment", {
    AWS_ACCESS_KEY_ID: "AKIA",
    AWS_PROFILE: "x",
    AWS_WEB_IDENTITY_TOKEN_FILE: "x",
  }],
  ["profile", { AWS_PROFILE: "x", AWS_WEB_IDENTITY_TOKEN_FILE: "x" }],
  ["web_identity", { AWS_WEB_IDENTITY_TOKEN_FILE: "x", AWS_CONTAINER_CREDENTIALS_FULL_URI: "x" }],
  ["container", { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/x" }],
  ["container", { AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://x" }],
];
for (const [source, variables] of sources) {
  const set = Object.keys(variables).join(", ") || "nothing";
  Deno.test(`detectCredentialSource() returns ${source} when ${set} is set`, () => {
    strictEqual(detectCredentialSource((name) => variables[name]), source);
  });
}

const hosts: [what: string, changes: Values, net: string[]][] = [
  ["nothing else is set", {}, ["sqs.eu-west-1.amazonaws.com:443", "db.example:5432"]],
  ["the database has a port", { DATABASE_URL: "postgres://db:6543/app" }, [
    "sqs.eu-west-1.amazonaws.com:443",
    "db:6543",
  ]],
  ["the database is IPv6", { DATABASE_URL: "postgres://[2001:db8::5]/app" }, [
    "sqs.eu-west-1.amazonaws.com:443",
    "[2001:db8::5]:5432",
  ]],
  ["the queue is plain HTTP", { SQS_QUEUE_URL: "http://queue.local/1/q" }, [
    "queue.local:80",
    "db.example:5432",
  ]],
  ["the queue has a port", { SQS_QUEUE_URL: "http://[::1]:9324/1/q" }, [
    "[::1]:9324",
    "db.example:5432",
  ]],
  // The SDK connects to the modern host, which an earlier version did not permit.
  ["the queue has AWS's legacy host", {
    SQS_QUEUE_URL: "https://eu-west-1.queue.amazonaws.com/1/q",
  }, ["sqs.eu-west-1.amazonaws.com:443", "db.example:5432"]],
  ["the dead-letter queue has another host", { SQS_DLQ_URL: "https://dlq.example:8443/1/d" }, [
    "sqs.eu-west-1.amazonaws.com:443",
    "dlq.example:8443",
    "db.example:5432",
  ]],
  ["both queues are on one host", { SQS_DLQ_URL: `${QUEUE}-dead` }, [
    "sqs.eu-west-1.amazonaws.com:443",
    "db.example:5432",
  ]],
  ["an endpoint is configured", {
    AWS_ENDPOINT_URL: "http://localhost:4566",
    SQS_DLQ_URL: `${QUEUE}-dead`,
  }, ["localhost:4566", "db.example:5432"]],
  ["an endpoint of SQS is configured too", {
    AWS_ENDPOINT_URL: "http://localhost:4566",
    AWS_ENDPOINT_URL_SQS: "https://vpce.example",
  }, ["vpce.example:443", "db.example:5432"]],
  ["the worker listens on loopback", { HTTP_ADDRESS: "127.0.0.1:8080" }, [
    "sqs.eu-west-1.amazonaws.com:443",
    "db.example:5432",
    "127.0.0.1:8080",
  ]],
  ["the worker listens on IPv6", { HTTP_ADDRESS: "[::1]:8080" }, [
    "sqs.eu-west-1.amazonaws.com:443",
    "db.example:5432",
    "[::1]:8080",
  ]],
  ["the worker listens on all addresses", { HTTP_ADDRESS: "0.0.0.0:80" }, [
    "sqs.eu-west-1.amazonaws.com:443",
    "db.example:5432",
    "0.0.0.0:80",
    "127.0.0.1:80",
  ]],
  ["the worker listens on all IPv6 addresses", { HTTP_ADDRESS: "[::]:80" }, [
    "sqs.eu-west-1.amazonaws.com:443",
    "db.example:5432",
    "[::]:80",
    "127.0.0.1:80",
  ]],
];
for (const [what, changes, net] of hosts) {
  Deno.test(`derivePermissions() allows exactly the hosts in use when ${what}`, () => {
    deepStrictEqual(permissions(changes).net, net);
  });
}

const credentials: [source: CredentialSource, variables: Values, net: string[], read: string[]][] =
  [
    ["environment", {}, [], []],
    ["instance", {}, ["169.254.169.254:80"], []],
    ["container", {}, ["169.254.170.2:80"], []],
    [
      "container",
      {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://169.254.170.23/v1/credentials",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/var/run/token",
      },
      ["169.254.170.23:80"],
      ["/var/run/token"],
    ],
    [
      "container",
      {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://[fd00:ec2::23]/v1/credentials",
      },
      ["[fd00:ec2::23]:80"],
      [],
    ],
    ["container", { AWS_CONTAINER_CREDENTIALS_FULL_URI: "https://creds.example/x" }, [
      "creds.example:443",
    ], []],
    [
      "web_identity",
      {
        AWS_REGION: "eu-west-3",
        AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/jwt",
      },
      ["sts.eu-west-3.amazonaws.com:443"],
      ["/var/run/jwt"],
    ],
    ["web_identity", { AWS_DEFAULT_REGION: "us-west-2" }, ["sts.us-west-2.amazonaws.com:443"], []],
    ["profile", { HOME: "/home/u" }, [], ["/home/u/.aws/config", "/home/u/.aws/credentials"]],
    ["profile", { AWS_CONFIG_FILE: "/c", AWS_SHARED_CREDENTIALS_FILE: "/s" }, [], ["/c", "/s"]],
  ];
for (const [source, variables, net, read] of credentials) {
  const set = Object.keys(variables).join(", ") || "nothing else";
  Deno.test(`derivePermissions() adds what credentials by ${source} need when ${set} is set`, () => {
    const allowed = permissions(variables, source);
    deepStrictEqual(allowed.net.slice(2), net);
    deepStrictEqual(allowed.read, read);
  });
}

Deno.test("derivePermissions() permits the files of secrets and of the database's certificate when they are set", () => {
  const values = { ...base, DATABASE_URL: "postgres://db/app?sslrootcert=/etc/ca.pem" };
  const get = (name: string) => ({ MASK_KEY_FILE: "/run/mask", BATCH_ROWS_FILE: "/run/no" })[name];
  const { read } = derivePermissions(readSettings(fakeSource(values), []), get, "environment");
  deepStrictEqual(read, ["/run/mask", "/etc/ca.pem"]);
});

Deno.test("derivePermissions() permits the names of settings and libraries, and no others", () => {
  const { env } = permissions();
  for (const name of ["BATCH_ROWS", "MASK_KEY", "MASK_KEY_FILE", ...libraryVariables]) {
    ok(env.includes(name), name);
  }
  ok(!env.includes("BATCH_ROWS_FILE") && !env.includes("PATH") && !env.includes("*"));
});

Deno.test("toFlags() writes a flag for each kind that is not empty, and disables prompts", () => {
  const permissions = { net: ["a:1", "[::1]:2"], env: ["A", "B"], read: [], sys: ["osRelease"] };
  deepStrictEqual(toFlags(permissions), [
    "--allow-net=a:1,[::1]:2",
    "--allow-env=A,B",
    "--allow-sys=osRelease",
    "--no-prompt",
  ]);
});

Deno.test("derivePermissions() names the variable, and not its text, when an endpoint is not a URL", () => {
  for (const name of ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS"]) {
    for (const text of ["zq-host", "zq-host:4566", "ftp://zq-host", "http://"]) {
      throws(() => permissions({ [name]: text }), {
        name: "SettingsError",
        problems: [`${name}: expected a URL such as https://host:port, got a text that is not one`],
      });
    }
  }
});
