import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CAMERA_RIGHTS, RIGHTS, type Right, SYSTEM_RIGHTS } from "../auth/right.ts";
import type { Quirk } from "../base/quirk.ts";
import { settingsJsonSchema } from "../bridge/settings.ts";
import { MEDIA_QUIRKS } from "../media/known-quirks.ts";
import { RTSP_QUIRKS } from "../rtsp/client/known-quirks.ts";
import { ONVIF_QUIRKS } from "../sim/quirks.ts";
import { DOORS, type Guarded, type Needs, rightsOf } from "./doors.ts";
import { operationsReference } from "./onvif-operations.ts";
import { profilesReference } from "./onvif-profiles.ts";

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

const FOLDER = join(import.meta.dirname, "../docs/reference");

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
    const needed = node.required?.includes(name) === true && child.default === undefined;
    if (child.items?.properties !== undefined) {
      const about = `| **\`${full}\`** | list | ${needed ? "**required**" : "`[]`"} | ${child.description ?? ""} |`;
      return [about, ...rowsOf(child.items, `${full}[]`)];
    }
    if (child.properties !== undefined) {
      const about = child.description === undefined ? [] : [`| **\`${full}\`** | | | ${child.description} |`];
      return [...about, ...rowsOf(child, full)];
    }
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
Files and folders without a leading \`/\` are found from the folder of the configuration file.

| key | type | default | what |
| --- | --- | --- | --- |
${rowsOf(settingsJsonSchema(), "").join("\n")}
`;
}

function rowsOfQuirks(quirks: Readonly<Record<string, Quirk>>): string {
  return Object.entries(quirks)
    .map(([name, q]) => `| \`${name}\` | ${q.does} | ${q.copes} | ${q.shown ? "yes" : ""} | ${q.source} |`)
    .join("\n");
}

/** The reference of camera quirks, from their lists. */
function quirksReference(): string {
  const onvif = Object.entries(ONVIF_QUIRKS).map(([name, { does, source }]) => `| \`${name}\` | ${does} | ${source} |`);
  const head = "| name | the camera … | the bridge … | shown | seen |\n| --- | --- | --- | --- | --- |";
  return `# Quirks of cameras

Made from the code by \`node scripts/reference.ts\`. Each is a switch of the simulated cameras too
(\`viaduct sim camera --quirk NAME\`), and \`test/peers/quirks.peer.ts\` follows each from there to the time of every picture.
*Shown*: the bridge says with the camera's state, on its page and in \`GET /api/cameras\`, that the camera did this since the bridge
pulls from it. What is not shown is no fault that can be told from outside: what the bridge does for it, it does for every camera.

## Log-in, RTSP, descriptions, transport

${head}
${rowsOfQuirks(RTSP_QUIRKS)}

## Picture, sound, time

${head}
${rowsOfQuirks(MEDIA_QUIRKS)}

## ONVIF

| name | the camera … | seen |
| --- | --- | --- |
${onvif.join("\n")}
`;
}

/** The doors at an interface that a right opens, with what is needed besides, or would do as well. */
function doorsWith(right: Right, door: Guarded): string {
  return (Object.entries(DOORS[door]) as [Needs, readonly string[]][])
    .flatMap(([needs, names]) => {
      const { oneOf, beside } = rightsOf(needs);
      if (!oneOf.includes(right)) return [];
      const more = [
        ...oneOf.filter((one) => one !== right).map((one) => `or \`${one}\``),
        ...beside.map((one) => `with \`${one}\` as well`),
      ];
      return `${codes(names)}${more.length === 0 ? "" : ` (${more.join(", ")})`}`;
    })
    .join("<br>");
}

function codes(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(" ");
}

function doorsFor(needs: "account" | "nobody"): string {
  return codes([...(DOORS.web[needs] ?? []), ...(DOORS.onvif[needs] ?? [])]);
}

/** The reference of rights, from the list of doors that the matrix of rights is tried with. */
function rightsReference(): string {
  const words: Readonly<Record<Right, string>> = { ...CAMERA_RIGHTS, ...SYSTEM_RIGHTS };
  const rows = RIGHTS.map(
    (right) =>
      `| \`${right}\` | ${words[right]} | ${(["web", "onvif", "rtsp"] as const).map((door) => doorsWith(right, door)).join(" | ")} |`,
  );
  return `# Which right opens which door

Made from the list of doors by \`node scripts/reference.ts\`. \`test/bridge/rights-matrix.test.ts\` knocks at each door of a running bridge,
with its right and without: nobody logged in, every right but this one, the right on other interfaces, at other hours, in the past, on another
camera, taken away by a denial, with the camera hidden, for newer footage alone, and with nothing but this right. A route, an
operation or a WebSocket that is not in this list fails that test.

Any right over a camera opens what stands at \`see\`: the camera is there. Lists hold what the account may have and nothing else, and a
camera that may not be seen is answered as one that does not exist. What stands under *web* opens to programs with a token as well, by the
same right granted on the interface \`api\`: but for WebSockets, one's own log-in, and \`approve\`. A grant on \`cli\` counts for
\`viaduct approval\`; other commands are run by who owns the data folder.

| right | lets | web | ONVIF | RTSP |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

Every account that is let in has ${doorsFor("account")}.

Without an account: ${doorsFor("nobody")}.
`;
}

const FILES: readonly (readonly [name: string, text: string])[] = [
  ["configuration.md", configurationReference()],
  ["quirks.md", quirksReference()],
  ["onvif-operations.md", operationsReference()],
  ["onvif-profiles.md", profilesReference()],
  ["rights.md", rightsReference()],
];
for (const [name, text] of FILES) {
  const file = join(FOLDER, name);
  if (!process.argv.includes("--check")) writeFileSync(file, text);
  else if (readFileSync(file, "utf8") !== text) {
    process.stderr.write(`docs/reference/${name} is out of date: run \`node scripts/reference.ts\`.\n`);
    process.exitCode = 1;
  }
}
