// What a module imports and which marks of I/O it bears, read from its syntax tree and not from its text.
// Works in `deno test` only: the parser is that of Deno's linter.

export interface Import {
  /** Undefined: computed at run time. */
  readonly specifier: string | undefined;
  /** Gone after compilation: `import type`, only `type` names, or `import("...")` in a type. */
  readonly isTypeOnly: boolean;
  readonly line: number;
}

/** Something named in the code that rules are about. */
export interface Mark {
  readonly name: string;
  readonly line: number;
}

export interface ModuleScan {
  readonly imports: readonly Import[];
  /** Every mention of the global `Deno`, in types too. */
  readonly deno: readonly Mark[];
  /** Names that are called or constructed: `fetch(...)`, `new Worker(...)`. */
  readonly called: readonly Mark[];
  /** Language features that the house style leaves out. */
  readonly unwanted: readonly Mark[];
}

type Declaration =
  | Deno.lint.ImportDeclaration
  | Deno.lint.ExportNamedDeclaration
  | Deno.lint.ExportAllDeclaration;

/** Throws on a syntax error. */
export function scanModule(path: string, source: string): ModuleScan {
  const imports: Import[] = [];
  const deno: Mark[] = [];
  const called: Mark[] = [];
  const unwanted: Mark[] = [];
  const line = (node: { range: Deno.lint.Range }) =>
    source.slice(0, node.range[0]).split("\n").length;
  const mark = (marks: Mark[], name: string, node: Deno.lint.Node) =>
    marks.push({ name, line: line(node) });
  const declare = (node: Declaration) => {
    if (node.source === null) return; // export of something of its own
    imports.push({ specifier: node.source.value, isTypeOnly: isTypeOnly(node), line: line(node) });
  };
  const call = (node: Deno.lint.CallExpression | Deno.lint.NewExpression) => {
    if (node.callee.type === "Identifier") mark(called, node.callee.name, node);
  };
  const visitor: Deno.lint.LintVisitor = {
    ImportDeclaration: declare,
    ExportNamedDeclaration: declare,
    ExportAllDeclaration: declare,
    ImportExpression: (node) =>
      imports.push({ specifier: textOf(node.source), isTypeOnly: false, line: line(node) }),
    TSImportType: (node) =>
      imports.push({ specifier: textOf(node.argument), isTypeOnly: true, line: line(node) }),
    Identifier: (node) => node.name === "Deno" && mark(deno, "Deno", node),
    CallExpression: call,
    NewExpression: call,
    ExportDefaultDeclaration: (node) => mark(unwanted, "default export", node),
    TSEnumDeclaration: (node) => mark(unwanted, "enum", node),
  };
  parse(path, source, visitor);
  return { imports, deno, called, unwanted };
}

function parse(path: string, source: string, visitor: Deno.lint.LintVisitor): void {
  const rules = { scan: { create: () => visitor } };
  Deno.lint.runPlugin({ name: "module-scan", rules }, path, source);
}

function isTypeOnly(node: Declaration): boolean {
  if (node.type !== "ImportDeclaration") return node.exportKind === "type";
  if (node.importKind === "type") return true;
  return node.specifiers.length > 0 &&
    node.specifiers.every((specifier) =>
      specifier.type === "ImportSpecifier" && specifier.importKind === "type"
    );
}

/** The text of a literal, or undefined for anything computed. */
function textOf(node: Deno.lint.Node): string | undefined {
  if (node.type === "TSLiteralType") return textOf(node.literal);
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}
