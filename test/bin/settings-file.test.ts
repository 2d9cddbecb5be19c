import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { PATHS, readSettings } from "../../bin/settings-file.ts";
import { settingsJsonSchema } from "../../bridge/settings.ts";

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

/** By their names. */
const NAMES_A_PATH = /^(?:ca|serverCa|crl|folder|dataFolder|keytab|module|\w+File)$/;

function pathsIn({ properties = {}, items }: Node, at: string): readonly string[] {
  if (items !== undefined) return pathsIn(items, `${at}[]`);
  return Object.entries(properties).flatMap(([name, child]) => {
    const path = at === "" ? name : `${at}.${name}`;
    return NAMES_A_PATH.test(name) ? [path] : pathsIn(child, path);
  });
}

describe("paths in a configuration file", () => {
  it("are all known", () => {
    expect([...PATHS].sort()).to.deep.equal([...pathsIn(settingsJsonSchema(), "")].sort());
  });

  it("are relative to the file, in lists and deep inside, too", async () => {
    const folder = await mkdtemp(join(tmpdir(), "viaduct-settings-"));
    try {
      const file = join(folder, "viaduct.yaml");
      await writeFile(
        file,
        stringify({
          dataFolder: "data",
          cameraSide: { interfaces: ["lo"] },
          clientSide: { addresses: ["127.0.0.1"] },
          recording: {
            volumes: [
              { name: "second", folder: "disks/2" },
              { name: "third", folder: "/mnt/3" },
            ],
          },
          audit: { forward: [{ name: "logs", host: "logs.example", port: 6514, format: "syslog", ca: "logs.pem" }] },
        }),
      );
      const { dataFolder, recording, audit, cameraSide } = await readSettings(file);
      expect([
        dataFolder,
        ...recording.volumes.map((one) => one.folder),
        audit.forward[0]?.ca,
        cameraSide.ca,
      ]).to.deep.equal([join(folder, "data"), join(folder, "disks/2"), "/mnt/3", join(folder, "logs.pem"), undefined]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
