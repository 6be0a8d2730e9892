import { fails, passes } from "../support/lint_sources.ts";

const OUTSIDE = ["lib/custody/forget.ts", "lib/cli/check.ts", "deploy/compile.ts"];

/** The path of `statement.ts` from a file of the repository. */
function pathFrom(file: string): string {
  return `${"../".repeat(file.split("/").length - 1) || "./"}lib/store/postgres/statement.ts`;
}

Deno.test("sql-has-a-home reports a file elsewhere when it can create a statement", () => {
  for (const file of OUTSIDE) {
    const path = pathFrom(file);
    fails(
      "sql-has-a-home",
      file,
      `import { statement } from "${path}";`,
      `import { type Statement, statement as sql } from "${path}";`,
      `import * as all from "${path}";`,
      `await import("${path}");`,
    );
  }
  fails(
    "sql-has-a-home",
    "lib/store/postgres/database.ts",
    `import { statement } from "./statement.ts";`,
  );
});

Deno.test("sql-has-a-home accepts a file elsewhere when it imports only the type", () => {
  for (const file of OUTSIDE) {
    const path = pathFrom(file);
    passes(
      file,
      `import type { Statement } from "${path}"; export type A = Statement;`,
      `import { type Statement } from "${path}"; export type A = Statement;`,
    );
  }
});

Deno.test("sql-has-a-home accepts a file when it is in a folder of SQL", () => {
  for (const file of ["lib/store/postgres/sql/a.ts", "lib/store/postgres/migrations/1.ts"]) {
    passes(file, `import { statement } from "../statement.ts"; statement("");`);
  }
  passes(
    "tests/store/a_test.ts",
    `import { statement } from "../../lib/store/postgres/statement.ts"; statement("");`,
  );
});
