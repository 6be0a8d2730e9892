import { deepStrictEqual, ok } from "node:assert";
import { fails, imports, passes } from "../support/lint_sources.ts";
import plugin from "./house_rules.ts";

Deno.test("hash-private reports a member when it is private or protected", () => {
  const members = [
    "private a = 1;",
    "protected a = 1;",
    "private static a = 1;",
    "declare private a: number;",
    "private accessor a = 1;",
    "private a() {}",
    "protected get a() { return 1; }",
    "private constructor() {}",
    "constructor(private readonly a: number) {}",
    "constructor(protected a = 1) {}",
    "constructor(readonly a: number, private b: number) {}",
    "protected abstract a(): void;",
    "private abstract a: number;",
  ];
  fails(
    "hash-private",
    "lib/mask/a.ts",
    ...members.map((member) => `abstract class A { ${member} }`),
  );
  fails("hash-private", "tests/mask/a_test.ts", "class A { private a = 1; }");
});

Deno.test("hash-private accepts a member when it has a hash or no modifier", () => {
  passes(
    "lib/mask/a.ts",
    "class A { #a = 1; b = 2; static #c = 3; readonly d = 4; #e() {} get #f() { return 1; } }",
    "class A { public a = 1; constructor(readonly b: number, public c: number) {} }",
    "class A { constructor(isprivate: number, readonly protected_: number) {} }",
  );
});

Deno.test("one-driver reports an import of a driver when the file is outside of its folder", () => {
  const cases: Record<string, string[]> = {
    "lib/store/store.ts": ["pg", "pg/lib/client.js", "npm:pg@8.23.1", "npm:/pg", "@types/pg"],
    "lib/store/postgres/sql/rows.ts": ["pg"],
    "lib/cli/check.ts": [
      "@aws-sdk/client-sqs",
      "npm:@aws-sdk/client-sqs@3",
      "@hpke/core",
      "fauxqs",
    ],
    "lib/queue/sqs/sqs_queue.ts": ["pg", "@hpke/core", "fauxqs"],
    "lib/store/postgres/database.ts": ["@electric-sql/pglite", "@electric-sql/pglite-socket/x"],
  };
  for (const [file, specifiers] of Object.entries(cases)) {
    for (const specifier of specifiers) fails("one-driver", file, ...imports(specifier));
  }
});

Deno.test("one-driver accepts a driver when the file is in its folder", () => {
  passes("lib/store/postgres/database.ts", ...imports("pg"), ...imports("npm:pg@8.23.1"));
  passes("lib/queue/sqs/sqs_queue.ts", ...imports("@aws-sdk/client-sqs"));
  passes("lib/vault/seal.ts", ...imports("@hpke/core"));
  passes("lib/local/queue.ts", ...imports("fauxqs"), ...imports("@electric-sql/pglite-socket"));
  passes("tests/support/queue.ts", ...imports("fauxqs"), ...imports("@electric-sql/pglite"));
});

Deno.test("one-driver accepts a package when its name only begins like a driver's", () => {
  passes("lib/cli/run.ts", ...imports("pgvector"), ...imports("./pg"), ...imports("@aws-sdks/a"));
});

Deno.test("every rule reports what it expected when it finds a fault", () => {
  const source = `import "pg"; import "../cli/run.ts"; import { statement } from ` +
    `"../store/postgres/statement.ts"; class A { private a = statement("select 1"); }`;
  const found = Deno.lint.runPlugin(plugin, "lib/mask/a.ts", source);
  deepStrictEqual(
    [...new Set(found.map(({ id }) => id))].sort(),
    Object.keys(plugin.rules).map((rule) => `house/${rule}`).sort(),
  );
  for (const { message } of found) ok(message.includes("expected"), message);
});
