import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect } from "chai";

/** Rows from the ground up. A file imports from its own module and from lower rows only. */
const ROWS: readonly (readonly string[])[] = [
  ["base"],
  ["auth", "media", "wsdl", "net", "keys", "directory"],
  ["rtsp", "onvif", "discovery", "recorder"],
  ["bridge"],
  ["web"],
  ["bin"],
];

/** Folders beside the rows, and the highest row (counted from 1) that they may import. */
const BESIDE: Readonly<Record<string, number>> = { sim: 4, bench: 4, fuzz: 4, scripts: 5, test: 6 };

const CAMERA_SIDE = ["rtsp/client/", "onvif/client/", "discovery/client/", "bridge/camera-side/"];
const CLIENT_SIDE = ["rtsp/server/", "onvif/server/", "discovery/server/", "bridge/client-side/", "web/"];

/** Packages that one file alone may import, so that each can be replaced in one place. */
const ONE_IMPORTER: Readonly<Record<string, string>> = {
  argon2: "auth/password.ts",
  pino: "base/log.ts",
  "prom-client": "base/metrics.ts",
  yaml: "base/config.ts",
  jose: "auth/jwt/verify-jwt.ts",
  ldapts: "directory/connection.ts",
  pkcs11js: "keys/token/",
  nodemailer: "bridge/client-side/mailer.ts",
  "@peculiar/x509": "net/tls.ts",
  "@peculiar/asn1-cms": "recorder/cms/",
  "@peculiar/asn1-schema": "recorder/cms/",
  "@peculiar/asn1-x509": "recorder/cms/",
  "node:sqlite": "base/",
  koa: "web/",
  "@koa/router": "web/",
  ws: "net/websocket.ts",
  soap: "test/peers/",
  onvif: "test/peers/",
};

interface Import {
  readonly from: string;
  /** A file of the project, or a package. */
  readonly to: string;
  readonly relative: boolean;
}

const root = join(import.meta.dirname, "..");

function filesOf(folder: string): readonly string[] {
  return globSync(`${folder}/**/*.{ts,tsx}`, {
    cwd: root,
    exclude: (name) => name.includes("node_modules") || name.includes("dist"),
  });
}

/** Static imports, type-only ones too, re-exports, and dynamic imports of a literal. */
function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const found: Import[] = [];
  for (const match of text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^"';]*?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g,
  )) {
    const target = match[1] ?? match[2];
    if (target === undefined) continue;
    const relative = target.startsWith(".");
    found.push({ from: file, to: relative ? normalize(join(dirname(file), target)) : target, relative });
  }
  return found;
}

const moduleOf = (file: string): string => file.split("/", 1)[0] ?? file;
const rowOf = (module: string): number => ROWS.findIndex((row) => row.includes(module)) + 1;

describe("the architecture", () => {
  const folders = [...ROWS.flat(), ...Object.keys(BESIDE)];
  const imports = folders.flatMap(filesOf).flatMap(importsOf);
  const inner = imports.filter((one) => one.relative);

  it("is looked at: imports are seen in every row", () => {
    for (const module of ROWS.flat().filter((name) => name !== "base"))
      expect(
        inner.filter((one) => moduleOf(one.from) === module && rowOf(moduleOf(one.to)) > 0),
        module,
      ).not.to.deep.equal([]);
    expect(imports.filter((one) => !one.relative)).not.to.deep.equal([]);
  });

  it("lets a row import only itself and lower rows, and no sibling", () => {
    const wrong = inner.filter(({ from, to }) => {
      const [upper, lower] = [moduleOf(from), moduleOf(to)];
      // The simulated cameras are a command too, and what they can show is described.
      if (upper === lower || (/^(?:bin|scripts)$/.test(upper) && lower === "sim")) return false;
      const top = BESIDE[upper];
      return top === undefined
        ? rowOf(lower) === 0 || rowOf(lower) >= rowOf(upper)
        : rowOf(lower) === 0
          ? upper !== "test"
          : rowOf(lower) > top;
    });
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).to.deep.equal([]);
  });

  it("keeps the camera side and the client side apart", () => {
    const on = (side: readonly string[], file: string): boolean => side.some((folder) => file.startsWith(folder));
    const wrong = inner.filter(
      ({ from, to }) =>
        (on(CAMERA_SIDE, from) && on(CLIENT_SIDE, to)) || (on(CLIENT_SIDE, from) && on(CAMERA_SIDE, to)),
    );
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).to.deep.equal([]);
  });

  it("has no files that import each other, one way round or another", () => {
    const next = new Map<string, Set<string>>();
    for (const { from, to } of inner.filter((one) => !one.from.startsWith("test/")))
      next.set(from, (next.get(from) ?? new Set()).add(to));
    // What imports nothing that is left is in no circle, and what nothing that is left imports.
    for (let before = -1; before !== next.size; ) {
      before = next.size;
      const imported = new Set([...next.values()].flatMap((files) => [...files]));
      for (const [file, files] of next)
        if (!imported.has(file) || ![...files].some((one) => next.has(one))) next.delete(file);
    }
    expect([...next.keys()]).to.deep.equal([]);
  });

  it("gives each package one importer", () => {
    const wrong = imports.filter(
      ({ from, to, relative }) =>
        !relative &&
        Object.hasOwn(ONE_IMPORTER, to) &&
        !from.startsWith(ONE_IMPORTER[to] ?? "") &&
        !/^(?:test|sim|bench)\//.test(from),
    );
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).to.deep.equal([]);
  });

  it("reads clocks and sets timers in base/clock.ts alone", () => {
    const wrong = ROWS.flat()
      .concat("sim")
      .flatMap(filesOf)
      .filter((file) => file !== "base/clock.ts" && !file.startsWith("web/ui/"))
      .filter((file) =>
        /\bDate\.now\(|\bperformance\.now\(|\bset(?:Timeout|Interval)\(|new Date\(\)/.test(
          readFileSync(join(root, file), "utf8"),
        ),
      );
    expect(wrong).to.deep.equal([]);
  });
});
