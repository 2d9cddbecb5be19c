import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { readConfig } from "../base/config.ts";
import { Fault } from "../base/fault.ts";
import { type Settings, settingsSchema } from "../bridge/settings.ts";

/** Reads a configuration file, `-` for standard input; folders in it are relative to the file. `invalid` lists every mistake with its line. */
export async function readSettings(file: string): Promise<Settings> {
  const piped = file === "-";
  const name = piped ? "standard input" : file;
  let text: string;
  try {
    text = piped ? await textOf(process.stdin) : await readFile(file, "utf8");
  } catch (cause) {
    const tell = `cannot read ${name}: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
  const settings = readConfig(text, settingsSchema, name);
  const from = dirname(resolve(file));
  const { recording, cameraSide, clientSide, directory, kerberos, exports, mail, sms } = settings;
  const { notifications } = clientSide;
  return {
    ...settings,
    dataFolder: resolve(from, settings.dataFolder),
    cameraSide: cameraSide.ca === undefined ? cameraSide : { ...cameraSide, ca: resolve(from, cameraSide.ca) },
    directory: directory.map((one) => withFiles(one, from, "ca", "passwordFile")),
    mail: mail && withFiles(mail, from, "ca", "passwordFile"),
    sms: sms && withFiles(sms, from, "ca", "secretFile"),
    ...(kerberos === undefined ? {} : { kerberos: { ...kerberos, keytab: resolve(from, kerberos.keytab) } }),
    clientSide:
      notifications.ca === undefined
        ? clientSide
        : { ...clientSide, notifications: { ...notifications, ca: resolve(from, notifications.ca) } },
    exports: exports.folder === undefined ? exports : { ...exports, folder: resolve(from, exports.folder) },
    recording: recording.folder === undefined ? recording : { ...recording, folder: resolve(from, recording.folder) },
  };
}

/** The same settings, with the named files of it found from the folder of the configuration file. */
function withFiles<Name extends string, T extends Readonly<Partial<Record<Name, string | undefined>>>>(
  settings: T,
  from: string,
  ...names: readonly Name[]
): T {
  const found = names.flatMap((name) => (settings[name] === undefined ? [] : [[name, resolve(from, settings[name])]]));
  return { ...settings, ...Object.fromEntries(found) };
}
