import { fails, passes } from "../support/lint_sources.ts";

const OUTSIDE = ["lib/custody/forget.ts", "lib/cli/check.ts", "deploy/compile.ts"];

/** The path of `statement.ts` from a file of the repository. */
function pathFrom(file: string): string {
  return `${"../".repeat(file.split("/").length - 1) || "./"}lib/store/postgres/statement.ts`;
}

Deno.test("sql-has-a-home objects when a file elsewhere can create a statement", () => {
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

Deno.test("sql-has-a-home passes when a file elsewhere takes the type", () => {
  for (const file of OUTSIDE) {
    const path = pathFrom(file);
    passes(
      file,
      `import type { Statement } from "${path}"; export type A = Statement;`,
      `import { type Statement } from "${path}"; export type A = Statement;`,
    );
  }
});

Deno.test("sql-has-a-home passes when the file is a home of SQL", () => {
  for (const file of ["lib/store/postgres/sql/a.ts", "lib/store/postgres/migrations/1.ts"]) {
    passes(file, `import { statement } from "../statement.ts"; statement("");`);
  }
  passes(
    "tests/store/a_test.ts",
    `import { statement } from "../../lib/store/postgres/statement.ts"; statement("");`,
  );
});
