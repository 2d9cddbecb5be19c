import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { systemClock } from "../../base/clock.ts";
import { loadIdentity } from "../../net/tls.ts";
import { eventually } from "./bridge.ts";
import { missing, peer } from "./peer.ts";

const OPENSSL_DRIVER = "/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_ossl.so";

/** rsyslog that receives over TLS at 127.0.0.1, with a certificate of its own. */
export interface Rsyslog {
  readonly port: number;
  /** PEM file. */
  readonly certificate: string;
  /** What came: severity and facility, name, structured data and text of each message. */
  received(): Promise<readonly (readonly [pri: string, app: string, id: string, data: string, text: string])[]>;
  /** At the same port as before. */
  start(): Promise<void>;
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** Starts it, or skips the test or hook of `context`. */
export async function startRsyslog(context: Context): Promise<Rsyslog> {
  const program = peer(context, "/usr/sbin/rsyslogd");
  if (!existsSync(OPENSSL_DRIVER) && process.arch === "x64") missing(context, "rsyslog's OpenSSL driver");
  const folder = await mkdtemp(join(tmpdir(), "viaduct-rsyslog-"));
  await loadIdentity(folder, ["127.0.0.1"], systemClock);
  const [certificate, key] = [join(folder, "tls-cert.pem"), join(folder, "tls-key.pem")];
  const [out, portFile, conf] = [join(folder, "out.log"), join(folder, "port"), join(folder, "rsyslog.conf")];
  let child: ChildProcess | undefined;
  let port = 0;
  const start = async (): Promise<void> => {
    await writeFile(
      conf,
      `global(workDirectory="${folder}" maxMessageSize="64k" DefaultNetstreamDriver="ossl"
  DefaultNetstreamDriverCAFile="${certificate}" DefaultNetstreamDriverCertFile="${certificate}"
  DefaultNetstreamDriverKeyFile="${key}")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
template(name="fields" type="string" string="%pri%\\t%app-name%\\t%msgid%\\t%structured-data%\\t%msg%\\n")
input(type="imtcp" address="127.0.0.1" port="${port}" listenPortFileName="${portFile}")
action(type="omfile" file="${out}" template="fields")
`,
    );
    const started = program.start(["-n", "-f", conf, "-i", join(folder, "pid")]);
    child = started.child;
    await eventually(async () => {
      if (child?.exitCode !== null) throw new Error(`rsyslogd ended: ${started.output()}`);
      return existsSync(portFile) && (await readFile(portFile, "utf8")) !== "";
    });
    port = Number(await readFile(portFile, "utf8"));
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
    await rm(join(folder, "pid"), { force: true });
  };
  await start();
  return {
    get port() {
      return port;
    },
    certificate,
    async received() {
      const text = existsSync(out) ? await readFile(out, "utf8") : "";
      // What stands behind the last end of a line is not written whole yet.
      return text
        .split("\n")
        .slice(0, -1)
        .map((line) => line.split("\t") as [string, string, string, string, string]);
    },
    start,
    kill,
    async close() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
