import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { freeTcpPort } from "./bridge.ts";
import { peer } from "./peer.ts";

const SUFFIX = "dc=site,dc=test";
const START_MS = 60_000;

/** An OpenLDAP server on loopback. It takes log-ins inside TLS alone. */
export interface Slapd {
  /** With StartTLS, and of LDAPS. */
  readonly port: number;
  readonly tlsPort: number;
  readonly base: string;
  readonly caText: string;
  readonly account: string;
  readonly password: string;
  /** Changes it by LDIF, over the wire. */
  modify(ldif: string): Promise<void>;
  /** Ends it at once, whatever it is doing. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Makes and starts one with these entries, or skips the test or hook of `context` where OpenLDAP is missing. */
export async function startSlapd(context: Context, ldif: string): Promise<Slapd> {
  const slapd = peer(context, "/usr/sbin/slapd");
  const client = peer(context, "ldapmodify");
  const openssl = peer(context, "openssl");
  const folder = await mkdtemp(join(tmpdir(), "slapd-"));
  const inFolder = (name: string): string => join(folder, name);
  await mkdir(inFolder("db"));
  const made = await openssl.run([
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "30",
    "-subj",
    "/CN=localhost",

    "-addext",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
    "-keyout",
    inFolder("key.pem"),
    "-out",
    inFolder("cert.pem"),
  ]);
  if (made.code !== 0) throw new Error(`openssl: ${made.stderr}`);
  const account = `cn=admin,${SUFFIX}`;
  const password = "adm1n-passw0rd";
  await writeFile(
    inFolder("slapd.conf"),
    `${["core", "cosine", "nis", "inetorgperson"].map((name) => `include /etc/ldap/schema/${name}.schema`).join("\n")}
pidfile ${inFolder("slapd.pid")}
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
moduleload ppolicy
TLSCertificateFile ${inFolder("cert.pem")}
TLSCertificateKeyFile ${inFolder("key.pem")}
TLSProtocolMin 3.3
security simple_bind=128
database mdb
suffix ${SUFFIX}
rootdn ${account}
rootpw ${password}
directory ${inFolder("db")}
dbnosync
overlay syncprov
overlay ppolicy
`,
  );
  const [port, tlsPort] = [await freeTcpPort(), await freeTcpPort()];
  let child: ChildProcess | undefined;
  const run = (): ChildProcess =>
    spawn(
      slapd.program,
      ["-f", inFolder("slapd.conf"), "-h", `ldap://127.0.0.1:${port} ldaps://127.0.0.1:${tlsPort}`, "-d", "0"],
      { stdio: "ignore" },
    );
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ended = child;
    child = undefined;
    if (ended === undefined || ended.exitCode !== null) return;
    ended.kill(signal);
    await once(ended, "exit");
  };
  const modify = async (text: string): Promise<void> => {
    // Not as localhost: libldap compares that with the machine's own name.
    const { code, stderr } = await client.run(
      ["-x", "-H", `ldaps://127.0.0.1:${tlsPort}`, "-D", account, "-w", password, "-c"],
      { input: text, env: { LDAPTLS_CACERT: inFolder("cert.pem") }, limitMs: 120_000 },
    );
    if (code !== 0) throw new Error(`ldapmodify: ${stderr}`);
  };
  const start = async (first: string): Promise<void> => {
    const started = run();
    child = started;
    await retried(started, () => modify(first));
  };
  await start(`dn: ${SUFFIX}\nchangetype: add\nobjectClass: dcObject\nobjectClass: organization\no: site\ndc: site\n`);
  await modify(ldif);
  return {
    port,
    tlsPort,
    base: SUFFIX,
    caText: await readFile(inFolder("cert.pem"), "utf8"),
    account,
    password,
    modify,
    kill: () => end("SIGKILL"),
    start: () => start(`dn: ${SUFFIX}\nchangetype: modify\nreplace: o\no: site\n`),
    async close() {
      await end("SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function retried(child: ChildProcess, work: () => Promise<void>): Promise<void> {
  const until = performance.now() + START_MS;
  for (;;)
    try {
      await work();
      return;
    } catch (error) {
      if (child.exitCode !== null || performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
}
