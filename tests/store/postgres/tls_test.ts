import { deepStrictEqual, strictEqual, throws } from "node:assert";
import { resolveTls, type Tls } from "../../../lib/store/postgres/tls.ts";

const VERIFIED: Tls = { rejectUnauthorized: true };

function tls(url: string): Tls {
  return resolveTls(new URL(url));
}

for (const host of ["localhost", "127.0.0.1", "127.255.0.9", "[::1]", "[0:0:0:0:0:0:0:1]"]) {
  Deno.test(`resolveTls() returns no TLS when the host is ${host}`, () => {
    strictEqual(tls(`postgres://app@${host}:5433/app`), false);
  });
}

for (
  const host of [
    "db.example.org",
    "10.0.0.1",
    "[::2]",
    "[::ffff:127.0.0.1]",
    // These look like loopback and are other hosts.
    "localhost.example.org",
    "127.0.0.1.example.org",
    "1127.0.0.1",
    "%6cocalhost",
  ]
) {
  Deno.test(`resolveTls() requires a verified certificate when the host is ${host}`, () => {
    deepStrictEqual(tls(`postgres://app@${host}/app`), VERIFIED);
  });
}

const modes: readonly [mode: string, expected: Tls][] = [
  ["disable", false],
  ["require", { rejectUnauthorized: false }],
  ["verify-ca", VERIFIED],
  ["verify-full", VERIFIED],
];
for (const [mode, expected] of modes) {
  Deno.test(`resolveTls() follows the URL for every host when sslmode is ${mode}`, () => {
    for (const host of ["db.example.org", "127.0.0.1"]) {
      deepStrictEqual(tls(`postgres://app@${host}/app?sslmode=${mode}`), expected);
    }
  });
}

for (const mode of ["allow", "prefer", "no-verify", "VERIFY-FULL", "true", ""]) {
  Deno.test(`resolveTls() throws when sslmode is ${JSON.stringify(mode)}`, () => {
    throws(() => tls(`postgres://app:zq7@localhost/app?sslmode=${mode}`), {
      name: "OperationError",
      message: "expected sslmode=disable, require, verify-ca or verify-full",
    });
  });
}

Deno.test("resolveTls() returns the authority's certificate when sslrootcert names its file", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "an authority");
  const expected = { rejectUnauthorized: true, ca: "an authority" };
  for (const query of ["", "sslmode=verify-ca&", "sslmode=verify-full&"]) {
    deepStrictEqual(tls(`postgres://db/app?${query}sslrootcert=${file}`), expected);
  }
  await Deno.remove(file);
});

Deno.test("resolveTls() verifies the certificate when sslmode is require and an authority is named", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "an authority");
  deepStrictEqual(tls(`postgres://db/app?sslmode=require&sslrootcert=${file}`), {
    rejectUnauthorized: true,
    ca: "an authority",
  });
  await Deno.remove(file);
});

Deno.test("resolveTls() throws when the authority's certificate cannot be read", () => {
  throws(() => tls("postgres://db/app?sslrootcert=/no/such/file"), {
    name: "OperationError",
    message: "sslrootcert: expected a readable file, got NotFound",
  });
});

// The driver reads these from the query, and would ignore the URL's host and sslmode.
for (
  const query of ["host=db.example.org", "hostaddr=10.0.0.1", "port=5433", "ssl=0", "ssl=true"]
) {
  Deno.test(`resolveTls() throws when the query has ${query}`, () => {
    throws(() => tls(`postgres://app:zq7@localhost/app?${query}`), {
      name: "OperationError",
      message: `expected no ${query.split("=")[0]} in the query; ` +
        "give host and port before it, and use sslmode for encryption",
    });
  });
}
