// YAML or JSON text -> a plain value that remembers where each part of it stood. Knows no schema.
import { type Document, isScalar, LineCounter, parseDocument } from "yaml";
import type { Environment } from "./environment.ts";
import { firstMaskCharacter, mask } from "./masking.ts";
import { Positions } from "./positions.ts";
import { TreeReader } from "./tree_reader.ts";

/** A document that was read. `positions` holds the problems met so far and takes those that follow. */
export interface SourceDocument {
  readonly value: unknown;
  readonly positions: Positions;
}

/** Largest document: a bootstrap is a few kilobytes, and the parser takes about 100 times its size in memory. */
const MAX_CHARACTERS = 1024 * 1024;

/** Reads one document. Throws ConfigError when it is broken beyond looking for more. */
export function readDocument(
  source: string,
  file: string,
  environment: Environment,
): SourceDocument {
  const text = source.startsWith("\uFEFF") ? source.slice(1) : source;
  const lines = new LineCounter();
  const positions = new Positions(file, lines);
  if (text.length > MAX_CHARACTERS) {
    throw positions.fatal(0, "larger than 1 MiB, expected a smaller document");
  }
  const { contents } = parseYaml(text, lines, positions);
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    throw positions.fatal(0, "empty, expected a mapping");
  }
  return { value: new TreeReader(positions, environment).read(contents), positions };
}

function parseYaml(text: string, lines: LineCounter, positions: Positions): Document.Parsed {
  const document = parseDocument(mask(text), {
    lineCounter: lines,
    prettyErrors: false,
    // The library compares every key with every other: quadratic. TreeReader checks with a set.
    uniqueKeys: false,
  });
  const reserved = firstMaskCharacter(text);
  if (reserved >= 0) {
    throw positions.fatal(reserved, "a noncharacter (U+FDD0 to U+FDD4), expected text");
  }
  // What follows the first error is mostly its echo.
  const error = document.errors[0] ?? document.warnings[0];
  if (error !== undefined) {
    throw positions.fatal(error.pos[0], syntaxMessage(error.code, error.message));
  }
  return document;
}

const SYNTAX_MESSAGES: Readonly<Record<string, string>> = {
  BAD_SCALAR_START: "this character cannot begin a plain value, expected quotes around it",
  BLOCK_AS_IMPLICIT_KEY: "a second key on this line, expected a line of its own or quotes",
  MULTIPLE_DOCS: "a second document (---), expected only one",
  RESOURCE_EXHAUSTION: "nested too deeply, expected at most 40 levels",
  TAB_AS_INDENT: "a tab in the indentation, expected spaces",
  TAG_RESOLVE_FAILED: "a YAML tag (!), expected a plain value",
};

/** Our words where the parser's are for its authors; never the source that some of them quote, it may be a secret. */
function syntaxMessage(code: string, message: string): string {
  const known = SYNTAX_MESSAGES[code];
  if (known !== undefined) return known;
  if (message.startsWith("Unexpected flow-map-start")) {
    return "a { inside a plain value, expected quotes around the value";
  }
  const plain = message.replace(/: ".*$/s, "");
  return `not YAML: ${plain.charAt(0).toLowerCase()}${plain.slice(1)}`;
}
