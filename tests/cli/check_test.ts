import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { main } from "../../lib/cli/main.ts";
import { serveHealth } from "../../lib/observe/health.ts";
import { fakeIo } from "../support/fake_io.ts";
import { freePort } from "../support/free_port.ts";

const fine = {
  SQS_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/1/q",
  DATABASE_URL: "postgres://db.invalid/app",
  MASK_KEY: "k1:Ww+nvhE20shOmXP8YNUYqSs0x+6KAX1fkuZMszjR8Go=",
  VAULT_PUBLIC_KEY: "v1:pPBYQe7IJTTHsZoMnyrmV9TLNhAWfe6xmpG0TM4uD5U=",
};

async function check(flag: string, settings: Record<string, string>) {
  const io = fakeIo({ settings });
  const code = await main(["check", flag], io);
  return { code, ...io.written };
}

/** Starts a worker's HTTP server on a free port. */
function serve(hostname = "127.0.0.1") {
  const port = freePort();
  return serveHealth({ hostname, port }, { counters: () => ({}), isStoreUp: () => true });
}

Deno.test("check --offline prints ok without network when the settings are right", async () => {
  const warning =
    "warn  MASK_KEY: is set in the environment. Use MASK_KEY_FILE with a path to keep it out of /proc\n";
  deepStrictEqual(await check("--offline", fine), {
    code: 0,
    out: `ok    settings\n${warning}`,
    err: "",
  });
});

Deno.test("check --offline prints one line for each problem when settings are wrong", async () => {
  const { code, out, err } = await check("--offline", {
    SQS_QUEUE_URL: "ftp://queue",
    MASK_KEYS: fine.MASK_KEY,
    BATCH_ROWS: "0",
    VAULT: "off",
  });
  deepStrictEqual([code, err], [2, ""]);
  const lines = out.trimEnd().split("\n");
  ok(lines.every((line) => /^FAIL {2}[A-Z_]+: /.test(line)), out);
  deepStrictEqual(lines.map((line) => line.split(/ +|:/)[1]).sort(), [
    "BATCH_ROWS",
    "DATABASE_URL",
    "MASK_KEY",
    "MASK_KEYS",
    "REJECTED_TO",
    "SQS_QUEUE_URL",
  ]);
});

Deno.test("check --offline checks the rules between settings when each is valid alone", async () => {
  const { code, out } = await check("--offline", { ...fine, MAX_IN_FLIGHT: "10" });
  strictEqual(code, 2);
  match(out, /^FAIL {2}MAX_IN_FLIGHT: expected at least BATCH_ROWS \(500\), got 10/);
});

Deno.test("check --offline prints no secret when secrets are wrong", async () => {
  const { out } = await check("--offline", {
    SQS_QUEUE_URL: "postgres://app:zq7@db/app",
    DATABASE_URL: "app:zq7@db",
    MASK_KEY: "zq7",
    VAULT_PUBLIC_KEY: "v1:zq7zq7zq",
  });
  strictEqual(out.trimEnd().split("\n").length, 4);
  ok(!out.includes("zq7"), out);
});

Deno.test("check --health prints the worker's answer when one answers", async () => {
  const server = serve();
  try {
    const settings = { HTTP_ADDRESS: `127.0.0.1:${server.port}` };
    deepStrictEqual(await check("--health", settings), {
      code: 0,
      out: `{"status":"ok","store":"up"}\n`,
      err: "",
    });
  } finally {
    await server.close();
  }
});

Deno.test("check --health connects to loopback when the worker listens on all addresses", async () => {
  const server = serve("0.0.0.0");
  try {
    strictEqual((await check("--health", { HTTP_ADDRESS: `0.0.0.0:${server.port}` })).code, 0);
  } finally {
    await server.close();
  }
});

Deno.test({
  name: "check --health asks an IPv6 address when the worker listens on one",
  ignore: !hasIpv6(),
  async fn() {
    const server = serve("::1");
    try {
      strictEqual((await check("--health", { HTTP_ADDRESS: `[::1]:${server.port}` })).code, 0);
    } finally {
      await server.close();
    }
  },
});

/** Returns whether the machine has IPv6. Containers often do not. */
function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

Deno.test("check --health fails when no worker answers", async () => {
  const port = freePort();
  const { code, out, err } = await check("--health", { HTTP_ADDRESS: `127.0.0.1:${port}` });
  deepStrictEqual([code, out], [1, ""]);
  strictEqual(
    err,
    `No worker answers at http://127.0.0.1:${port}/healthz: expected \`maskline run\` with the ` +
      "same HTTP_ADDRESS\n",
  );
});

Deno.test("check --health fails when another server answers", async () => {
  const other = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("other", { status: 503 }),
  );
  try {
    const { code } = await check("--health", { HTTP_ADDRESS: `127.0.0.1:${other.addr.port}` });
    strictEqual(code, 1);
  } finally {
    await other.shutdown();
  }
});

Deno.test("check --health reports that no worker can answer when HTTP_ADDRESS is off", async () => {
  const { code, err } = await check("--health", { HTTP_ADDRESS: "off" });
  strictEqual(code, 2);
  match(err, /^HTTP_ADDRESS: is off, so no worker can answer/);
});

Deno.test("check --health requires no other setting, and fails when one is wrong", async () => {
  const { code, err } = await check("--health", { HTTP_ADDRESS: "x", BATCH_ROWS: "x" });
  strictEqual(code, 2);
  match(err, /^2 wrong settings:\n {2}HTTP_ADDRESS: .*\n {2}BATCH_ROWS: /);
});
