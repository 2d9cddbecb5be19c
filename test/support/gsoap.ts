import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { missing, type Outcome, type Peer, peer, pythonPeer } from "./peer.ts";

const HERE = join(import.meta.dirname, "gsoap");
/** Where Debian has what of gSOAP is to be compiled with what it generates. */
const GSOAP = "/usr/share/gsoap";
const COMPILE_LIMIT_MS = 240_000;

/** What `walk.c` calls; for nothing else stubs are made. */
const OPERATIONS = (
  "GetServices GetDeviceInformation GetProfiles GetStreamUri GetReplayUri " +
  "GetNodes GetStatus ContinuousMove Stop GetPresets SetPreset GotoPreset RemovePreset " +
  "CreatePullPointSubscription PullMessages SetSynchronizationPoint Renew Unsubscribe " +
  "GetRecordingSummary FindRecordings GetRecordingSearchResults"
).split(" ");

/** The program of `walk.c`, built of the stubs that gSOAP has made of some WSDL files. */
export interface GsoapWalk {
  /** What it prints: the values of each word, in their order. Rejects where something is not as its stubs have it. */
  run(o: {
    readonly address: string;
    readonly user: string;
    readonly password: string;
    /** PEM file of the one certificate that it trusts. */
    readonly trusted: string;
  }): Promise<Readonly<Record<string, readonly string[]>>>;
  close(): Promise<void>;
}

/**
 * Generates stubs with wsdl2h and soapcpp2, and compiles them with gcc: ten seconds of a core. `files`: WSDL by their paths, or, where
 * `official` is the folder with ONVIF's own, by their URLs. Skips the running test or hook where something is not on this machine.
 */
export async function buildGsoapWalk(
  context: Context,
  { files, official }: { readonly files: readonly string[]; readonly official?: string },
): Promise<GsoapWalk> {
  const python = pythonPeer(context, "lxml");
  const [wsdl2h, soapcpp2, gcc] = ["wsdl2h", "soapcpp2", "gcc"].map((program) => peer(context, program)) as [
    Peer,
    Peer,
    Peer,
  ];
  if (!existsSync("/usr/include/stdsoap2.h")) return missing(context, "libgsoap-dev");
  const folder = await mkdtemp(join(tmpdir(), "viaduct-gsoap-"));
  const at = (name: string): string => join(folder, name);
  const close = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const step = async (program: Peer, args: readonly string[]): Promise<string> => {
    try {
      return succeeded(program, await program.run(args, { limitMs: COMPILE_LIMIT_MS }));
    } catch (error) {
      await close();
      throw error;
    }
  };
  const copies = await step(python, [join(HERE, "cut.py"), folder, OPERATIONS.join(","), official ?? "-", ...files]);
  const header = at("onvif.h");
  const names = copies.trim().split("\n").map(at);
  await step(wsdl2h, ["-c", "-O4", "-P", "-t", join(HERE, "typemap.dat"), "-o", header, ...names]);
  await writeFile(header, `#import "wsse.h"\n${await readFile(header, "utf8")}`);
  await step(soapcpp2, ["-2", "-c", "-C", "-x", "-L", "-w", "-d", folder, `-I${GSOAP}/import:${GSOAP}`, header]);
  const table = (await readdir(folder)).find((name) => name.endsWith(".nsmap"));
  // ONVIF's files bring types of WS-Addressing that our own WSDL does without, and what is compiled with them wants its plugin.
  const addressing = official === undefined ? [] : ["wsaapi"];
  const plugins = ["wsseapi", "smdevp", "mecevp", "threads", ...addressing].map((name) =>
    join(GSOAP, "plugin", `${name}.c`),
  );
  const types = ["duration", "struct_timeval"].map((name) => join(GSOAP, "custom", `${name}.c`));
  const how = ["-O0", "-w", "-DWITH_OPENSSL", "-DWITH_DOM", `-DNAMESPACE_TABLE="${table}"`];
  const headers = [`-I${folder}`, `-I${GSOAP}`, `-I${GSOAP}/plugin`];
  const sources = [join(HERE, "walk.c"), at("soapC.c"), at("soapClient.c"), ...plugins, ...types];
  const libraries = ["-lgsoapssl", "-lssl", "-lcrypto", "-lz"];
  const whose = official === undefined ? ["-DOWN"] : [];
  await step(gcc, [...how, ...whose, ...headers, "-o", at("walk"), ...sources, ...libraries]);
  const walk = peer(context, at("walk"));
  return {
    async run({ address, user, password, trusted }) {
      const found: Record<string, string[]> = {};
      const printed = succeeded(walk, await walk.run([address, user, password, trusted]));
      for (const line of printed.trim().split("\n")) {
        const [word = ""] = line.split(" ", 1);
        found[word] = [...(found[word] ?? []), line.slice(word.length + 1)];
      }
      return found;
    },
    close,
  };
}

/** What a program printed that has done what it was to do. */
function succeeded({ program }: Peer, { code, stdout, stderr }: Outcome): string {
  if (code !== 0)
    throw new Error(`${program} ends with ${code}: ${stdout.toString().slice(-1000)}${stderr.slice(-3000)}`);
  return stdout.toString();
}
