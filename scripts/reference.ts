import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { settingsJsonSchema } from "../bridge/settings.ts";

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: Node;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
}

const FILE = join(import.meta.dirname, "../docs/reference/configuration.md");

function typeOf(node: Node): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (node.type === "array") return `list of ${node.items?.type ?? "values"}`;
  const low = node.minimum ?? node.exclusiveMinimum;
  const bounds =
    low !== undefined && node.maximum !== undefined && node.maximum < 1e9 ? ` ${low} to ${node.maximum}` : "";
  return `${node.type ?? "value"}${bounds}`;
}

function rowsOf(node: Node, path: string): readonly string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const full = path === "" ? name : `${path}.${name}`;
    if (child.properties !== undefined) {
      const about = child.description === undefined ? [] : [`| **\`${full}\`** | | | ${child.description} |`];
      return [...about, ...rowsOf(child, full)];
    }
    const needed = node.required?.includes(name) === true && child.default === undefined;
    const fallback =
      child.default === undefined ? (needed ? "**required**" : "") : `\`${JSON.stringify(child.default)}\``;
    return [`| \`${full}\` | ${typeOf(child)} | ${fallback} | ${child.description ?? ""} |`];
  });
}

/** The reference of the configuration file, from its schema. */
function configurationReference(): string {
  return `# Configuration

Made from the schema by \`node scripts/reference.ts\`; \`viaduct config schema\` prints the JSON Schema for editors,
\`viaduct config example\` a file to begin with, and \`viaduct config check FILE\` names mistakes with their lines.

| key | type | default | what |
| --- | --- | --- | --- |
${rowsOf(settingsJsonSchema(), "").join("\n")}
`;
}

const text = configurationReference();
if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    process.stderr.write("docs/reference/configuration.md is out of date: run `node scripts/reference.ts`.\n");
    process.exitCode = 1;
  }
} else writeFileSync(FILE, text);
