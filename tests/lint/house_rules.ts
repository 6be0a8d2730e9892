import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * The rules of this repository that a linter can check: the floors of `.github/ARCHITECTURE.md`, drivers and
 * SQL behind their seams, and `#private` members. `deno lint` loads this file, see `lint.plugins` in
 * `deno.json`.
 *
 * If a rule cannot be sure it stays quiet: a false alarm teaches people to silence all of them.
 */
const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    "sql-has-a-home": { create: sqlHasAHome },
    "downward-imports": { create: downwardImports },
    "hash-private": { create: hashPrivate },
    "one-driver": { create: oneDriver },
  },
};
export default plugin;

type Context = Deno.lint.RuleContext;
type Visitor = Deno.lint.LintVisitor;
type Node = Deno.lint.Node;

// ── Where a file is ─────────────────────────────────────────────────────────────────────────────

const root = new URL("../../", import.meta.url);

/** Returns `lib/contract/decode.ts` for a file of this repository, and null for any other. */
function pathInHouse(file: URL): string | null {
  const { pathname } = root;
  if (file.protocol !== root.protocol || !file.pathname.startsWith(pathname)) return null;
  return decodeURIComponent(file.pathname.slice(pathname.length));
}

/** The linter passes absolute paths. The tests of these rules pass paths relative to the root. */
function urlOf({ filename }: Context): URL {
  return isAbsolute(filename) ? pathToFileURL(filename) : new URL(filename, root);
}

/** Checks whether the path is one of these files or in one of these folders, which end with `/`. */
function isIn(path: string, homes: readonly string[]): boolean {
  return homes.some((home) => home.endsWith("/") ? path.startsWith(home) : path === home);
}

/** Calls back for every address that a file imports, including types, re-exports and `import()`. */
function forEachImport(visit: (specifier: string, node: Node) => void): Visitor {
  return {
    ImportDeclaration: (node) => visit(node.source.value, node),
    ExportAllDeclaration: (node) => visit(node.source.value, node),
    ExportNamedDeclaration: (node) => node.source && visit(node.source.value, node),
    ImportExpression: (node) => visit(textOf(node.source), node),
    TSExternalModuleReference: (node) => visit(node.expression.value, node),
    TSImportType(node) {
      if (node.argument.type === "TSLiteralType") visit(textOf(node.argument.literal), node);
    },
  };
}

/** Replaces a part of a text that is known only at run time. It reads as a name in SQL. */
const UNKNOWN = "_";

/** Returns the text of a literal, a template or a sum of them. */
function textOf(node: Node): string {
  if (node.type === "Literal") return String(node.value);
  if (node.type === "TemplateLiteral") return node.quasis.map((part) => part.cooked).join(UNKNOWN);
  if (isSum(node)) return textOf(node.left) + textOf(node.right);
  return UNKNOWN;
}

function isSum(node: Node): node is Deno.lint.BinaryExpression {
  return node.type === "BinaryExpression" && node.operator === "+";
}

// ── house/downward-imports ──────────────────────────────────────────────────────────────────────

/**
 * The floors, from the top. A room imports only rooms of lower floors, so two rooms of one floor do not import
 * each other.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["main.ts"],
  ["lib/cli"],
  ["lib/custody"],
  ["lib/worker"],
  ["lib/pipeline"],
  [
    "lib/observe",
    "lib/contract",
    "lib/mask",
    "lib/vault",
    "lib/queue",
    "lib/store",
    "lib/config",
    "lib/local",
  ],
  ["lib/base"],
];

const floors = new Map(
  FLOORS.flatMap((rooms, index) => rooms.map((room) => [room, FLOORS.length - index] as const)),
);

/** The only file that uses the embedded queue and database. The binary must not reach it. */
const DEMO = "lib/cli/demo.ts";

/** The seams. Their backends are folders next to them and do not import each other. */
const SEAMS = ["lib/queue", "lib/store"];

/** Returns `main.ts`, `lib/cli`, `tests`, `deploy`, …, or null for a file that is not part of the program. */
function roomOf(path: string): string | null {
  if (path === "main.ts") return path;
  const [, room] = /^(lib\/[^/]+|tests|deploy)(?:\/|$)/.exec(path) ?? [];
  return room ?? null;
}

function downwardImports(context: Context): Visitor {
  const url = urlOf(context);
  const from = pathInHouse(url) ?? "";
  const room = roomOf(from);
  // Tests and operators' tools are not part of the program and may import every room.
  if (room === null || room === "tests" || room === "deploy") return {};
  if (!floors.has(room)) {
    const message = `${room} is on no floor: expected main.ts or one of ` +
      [...floors.keys()].filter((known) => known.startsWith("lib/")).join(", ");
    return { Program: (node) => context.report({ node, message }) };
  }
  return forEachImport((specifier, node) => {
    if (!/^(?:\.{1,2}\/|\/|file:)/.test(specifier) || !URL.canParse(specifier, url)) return;
    const to = pathInHouse(new URL(specifier, url)) ?? "";
    const message = findFault(from, to);
    if (message !== null) context.report({ node, message });
  });
}

function findFault(from: string, to: string): string | null {
  const [room, target] = [roomOf(from), roomOf(to)];
  if (room === null || target === null) return null;
  if (to === DEMO) {
    return `${from} imports ${DEMO}: expected no import of it, because it is an entry and never in the binary`;
  }
  if (room === target) return findSeamFault(from, to);
  if (target === "tests" || target === "deploy") {
    return `${room} imports ${target}/: expected nothing of it in what is shipped`;
  }
  if (target === "lib/local" && from !== DEMO) {
    return `${from} imports lib/local: expected only ${DEMO}, deploy/ and tests/ to import it, ` +
      "because it is never in the binary";
  }
  const above = floors.get(room) ?? 0;
  const below = floors.get(target) ?? 0;
  if (below < above) return null;
  const where = below === above ? "a room of the same floor" : "a higher floor";
  return `${room} imports ${target}, ${where}: expected its own room or a lower floor (` +
    `${FLOORS.map((rooms) => rooms.join(", ")).join(" → ")})`;
}

/** A seam does not import its backends, and a backend does not import another one. */
function findSeamFault(from: string, to: string): string | null {
  const seam = SEAMS.find((room) => from.startsWith(`${room}/`));
  if (!seam) return null;
  const [source, target] = [from, to].map((path) => path.slice(seam.length + 1).split("/"));
  const backend = (parts: readonly string[] = []) => parts.length > 1 ? parts[0] : undefined;
  if (backend(target) === undefined || backend(target) === backend(source)) return null;
  return `${from} imports ${to}: expected a seam and its other backends not to know ${seam}/` +
    `${backend(target)}`;
}

// ── house/one-driver ────────────────────────────────────────────────────────────────────────────

const drivers: readonly { packages: RegExp; homes: readonly string[] }[] = [
  { packages: /^(?:@types\/)?pg$/, homes: ["lib/store/postgres/database.ts", "tests/"] },
  { packages: /^@aws-sdk\//, homes: ["lib/queue/sqs/", "deploy/", "tests/"] },
  { packages: /^@hpke\//, homes: ["lib/vault/"] },
  { packages: /^(?:@electric-sql\/pglite.*|fauxqs)$/, homes: ["lib/local/", "tests/"] },
];

function oneDriver(context: Context): Visitor {
  const path = pathInHouse(urlOf(context));
  if (path === null) return {};
  return forEachImport((specifier, node) => {
    const [, name = ""] = /^(?:npm:\/?|jsr:\/?)?((?:@[^/@]+\/)?[^/@]+)/.exec(specifier) ?? [];
    const homes = drivers.find(({ packages }) => packages.test(name))?.homes;
    if (homes === undefined || isIn(path, homes)) return;
    const message = `${name} is imported here: expected only in ${homes.join(" and ")}, ` +
      "so that the rest of the house knows the seam and not the driver";
    context.report({ node, message });
  });
}

// ── house/hash-private ──────────────────────────────────────────────────────────────────────────

function hashPrivate(context: Context): Visitor {
  function check({ range }: Node | Deno.lint.AccessorProperty, modifier = "", kind = ""): void {
    if (modifier !== "private" && modifier !== "protected") return;
    const expected = kind === "constructor"
      ? "a class that is not exported, and an exported function that creates it"
      : "a #name, which holds while the program runs and keeps values out of console.log()";
    context.report({ range, message: `\`${modifier}\` on a class member: expected ${expected}` });
  }
  return {
    PropertyDefinition: (node) => check(node, node.accessibility),
    MethodDefinition: (node) => check(node, node.accessibility, node.kind),
    AccessorProperty: (node: Deno.lint.AccessorProperty) => check(node, node.accessibility),
    TSAbstractMethodDefinition: (node) => check(node, node.accessibility),
    TSAbstractPropertyDefinition: (node) => check(node, node.accessibility),
    TSParameterProperty(node) {
      // Deno 2.9.6 sets it to the `accessibility` of its constructor, so the text is read instead.
      const front = context.sourceCode.text.slice(node.range[0], node.parameter.range[0]);
      check(node, /\b(?:private|protected)\b/.exec(front)?.[0]);
    },
  };
}

// ── house/sql-has-a-home ────────────────────────────────────────────────────────────────────────

/** Only these may create a statement. A connection runs nothing else (see `statement.ts`). */
const SQL_HOMES = [
  "lib/store/postgres/sql/",
  "lib/store/postgres/migrations/",
  "tests/",
];

function sqlHasAHome(context: Context): Visitor {
  const url = urlOf(context);
  const path = pathInHouse(url);
  if (path === null || isIn(path, SQL_HOMES)) return {};
  return {
    ImportDeclaration(node) {
      if (!isStatementFile(node.source.value, url) || node.importKind === "type") return;
      const creator = node.specifiers.find((specifier) =>
        specifier.type !== "ImportSpecifier" ||
        (specifier.importKind !== "type" && textOfName(specifier.imported) === "statement")
      );
      if (!creator) return;
      context.report({
        node,
        message: `statement() is imported here: expected only in ${SQL_HOMES.join(", ")}, ` +
          "so that SQL cannot appear elsewhere",
      });
    },
    ImportExpression(node) {
      if (!isStatementFile(textOf(node.source), url)) return;
      context.report({ node, message: "statement.ts is loaded here: expected a static import" });
    },
  };
}

function isStatementFile(specifier: string, from: URL): boolean {
  return URL.canParse(specifier, from) &&
    pathInHouse(new URL(specifier, from)) === "lib/store/postgres/statement.ts";
}

function textOfName(
  node: Deno.lint.Identifier | Deno.lint.Literal | Deno.lint.StringLiteral,
): string {
  return node.type === "Identifier" ? node.name : String(node.value);
}
