import { type Document, isAlias, isMap, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { z } from "zod";
import { Fault } from "./fault.ts";

/** Bounds of a configuration file; a person writes it, so anything beyond is a mistake. */
const LIMITS = { characters: 1_000_000, depth: 20 };

type Path = readonly PropertyKey[];

/**
 * Typed configuration from YAML text. Every problem is reported at once, each with the line where it stands:
 * `viaduct.yaml:12: clientSide.rtsp.port: expected number, received string`.
 */
export function readConfig<S extends z.ZodType>(text: string, schema: S, file: string): z.output<S> {
  if (text.length > LIMITS.characters)
    throw new Fault("invalid", `${file} is longer than ${LIMITS.characters} characters`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true });
  const problems = document.errors.map((error) => `${file}:${error.linePos?.[0].line ?? 1}: ${plain(error.message)}`);
  visit(document, (_, node, path) => {
    if (isAlias(node)) problems.push(`${file}: aliases are not supported`);
    if (path.length > LIMITS.depth * 2) problems.push(`${file}: nested deeper than ${LIMITS.depth}`);
    return problems.length > 0 ? visit.BREAK : undefined;
  });
  if (problems.length > 0) throw invalid(problems);
  const result = schema.safeParse(document.toJS() ?? {});
  if (result.success) return result.data;
  const found = result.error.issues.flatMap((issue) => mistakes(issue, schema));
  throw invalid(
    found.map(({ path, words }) => `${file}:${lineOf(document, lines, path)}: ${path.join(".") || "file"}: ${words}`),
  );
}

interface Mistake {
  readonly path: Path;
  readonly words: string;
}

/** What is wrong, and what to write instead. */
function mistakes(issue: z.core.$ZodIssue, schema: z.ZodType): readonly Mistake[] {
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(describedAt(schema, issue.path).properties ?? {}).join(", ");
    return issue.keys.map((key) => ({ path: [...issue.path, key], words: `there is no such key; there are ${known}` }));
  }
  const missing = /^Invalid input: (expected .+), received undefined$/.exec(issue.message)?.[1];
  if (missing === undefined) return [{ path: issue.path, words: issue.message }];
  const { description } = describedAt(schema, issue.path);
  const what = description === undefined ? "" : `. ${description}`;
  return [{ path: issue.path, words: `is missing, ${missing}${what}` }];
}

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
}

function describedAt(schema: z.ZodType, path: Path): Described {
  let at: Described = z.toJSONSchema(schema, { io: "input" }) as Described;
  for (const step of path) at = (typeof step === "number" ? at.items : at.properties?.[String(step)]) ?? {};
  return at;
}

/** The line of the key, or of the nearest parent that the file has. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const name = path[length - 1];
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === name) : undefined;
    const node: unknown = pair?.key ?? document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** The first line of a parser's message, without the place that is told anyway. */
function plain(message: string): string {
  return (message.split("\n", 1)[0] ?? message).replace(/ at line \d+, column \d+:?$/, "");
}

function invalid(problems: readonly string[]): Fault {
  const text = problems.join("\n");
  return new Fault("invalid", text, { tell: text });
}
