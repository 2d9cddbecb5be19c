import { isAlias, isCollection, LineCounter, parseDocument, visit } from "yaml";
import type { z } from "zod";
import { Fault } from "./fault.ts";

/** Bounds of a configuration file; a person writes it, so anything beyond is a mistake. */
const LIMITS = { characters: 1_000_000, depth: 20 };

/**
 * Typed configuration from YAML text. Every problem is reported at once, each with the line where it stands:
 * `viaduct.yaml:12: clientSide.rtsp.port: expected number, received string`.
 */
export function readConfig<S extends z.ZodType>(text: string, schema: S, file: string): z.output<S> {
  if (text.length > LIMITS.characters)
    throw new Fault("invalid", `${file} is longer than ${LIMITS.characters} characters`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true });
  const problems = document.errors.map(
    (error) => `${file}:${error.linePos?.[0].line ?? 1}: ${firstLine(error.message)}`,
  );
  visit(document, (_, node, path) => {
    if (isAlias(node)) problems.push(`${file}: aliases are not supported`);
    if (path.length > LIMITS.depth * 2) problems.push(`${file}: nested deeper than ${LIMITS.depth}`);
    return problems.length > 0 ? visit.BREAK : undefined;
  });
  if (problems.length > 0) throw invalid(problems);
  const result = schema.safeParse(document.toJS() ?? {});
  if (result.success) return result.data;

  /** The line of the value, or of its nearest parent that the file has. */
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
      const range =
        isCollection(node) || (node !== null && typeof node === "object" && "range" in node) ? node.range : undefined;
      if (Array.isArray(range)) return lines.linePos(range[0] as number).line;
    }
    return 1;
  };
  throw invalid(
    result.error.issues.map(
      (issue) => `${file}:${lineOf(issue.path)}: ${issue.path.join(".") || "file"}: ${issue.message}`,
    ),
  );
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}

function invalid(problems: readonly string[]): Fault {
  const text = problems.join("\n");
  return new Fault("invalid", text, { tell: text });
}
