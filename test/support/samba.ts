import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { missing, type Peer, peer, pythonPeer } from "./peer.ts";

const REALM = "SITE.TEST";
const SHORT_NAME = "SITE";
const ADMINISTRATOR_PASSWORD = "Adm1n-Passw0rd";
const SERVICES = "rpc, ldap, cldap, kdc, drepl, dns";
/** By which other machines join the domain, and ask it about log-ins. */
const SERVICES_FOR_MEMBERS = `s3fs, winbindd, ${SERVICES}`;
/** LDAPS, LDAP, Kerberos, DNS; and where members ask about log-ins. */
const PORTS = [636, 389, 88, 53];
const SMB_PORT = 445;
/** How long a domain controller may take to answer at first, on a busy machine. */
const START_MS = 120_000;

let nextAddress = 0;

/** A change of the directory: a method of samba-edit.py and its arguments. */
export type SambaChange = readonly [method: string, ...arguments: readonly (string | number)[]];

/** An Active Directory domain of Samba, on a loopback address of its own. */
export interface SambaDomain {
  readonly address: string;
  readonly host: string;
  readonly domain: string;
  readonly base: string;
  /** PEM file of the authority that made its certificate, and the same of another one. */
  readonly ca: string;
  readonly caText: string;
  readonly otherCaText: string;
  /** Who may read it. */
  readonly account: string;
  readonly password: string;
  edit(...changes: readonly SambaChange[]): Promise<void>;
  /** The Kerberos realm, and the short name of the domain. */
  readonly realm: string;
  readonly shortName: string;
  /** Of the domain's administrator. */
  readonly administratorPassword: string;
  /** Writes the keys of a principal, with all that stands under its account, into a file. */
  keytab(principal: string, file: string): Promise<void>;
  /** File by which Kerberos clients find it; names are taken as they are written. */
  readonly krb5Conf: string;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it at once, whatever it is doing. */
  kill(): void;
  output(): string;
  close(): Promise<void>;
}

/** Makes and starts one (`members`: that others may join), or skips the test or hook of `context` where Samba is missing or we are not root (its ports are below 1024). */
export async function startSamba(
  context: Context,
  { members = false }: { readonly members?: boolean } = {},
): Promise<SambaDomain> {
  const tool = peer(context, "samba-tool");
  const samba = peer(context, "/usr/sbin/samba");
  const openssl = peer(context, "openssl");
  const python = pythonPeer(context, "samba.samdb");
  if (process.getuid?.() !== 0) missing(context, "root's right to ports below 1024");
  // winbind's path to a socket below it has to be short.
  const folder = await mkdtemp(join(tmpdir(), "dc-"));
  nextAddress += 1;
  const address = `127.${64 + (process.pid % 128)}.${(process.pid >> 7) % 256}.${nextAddress}`;
  const lower = REALM.toLowerCase();
  const host = `dc1.${lower}`;
  const conf = join(folder, "etc/smb.conf");
  await provision(tool, folder, address);
  await makeCertificates(openssl, folder, host, address);
  await writeFile(conf, configured(await readFile(conf, "utf8"), folder, members));
  const krb5Conf = join(folder, "krb5.conf");
  await writeFile(krb5Conf, clientsConfiguration(address));
  let child: ChildProcess | undefined;
  let dead: Promise<unknown> | undefined;
  const chunks: Buffer[] = [];
  const domain: SambaDomain = {
    address,
    host,
    domain: lower,
    base: lower
      .split(".")
      .map((part) => `DC=${part}`)
      .join(","),
    ca: join(folder, "tls/ca.pem"),
    caText: await readFile(join(folder, "tls/ca.pem"), "utf8"),
    otherCaText: await readFile(join(folder, "tls/other.pem"), "utf8"),
    account: `svc-viaduct@${lower}`,
    password: "Svc-Passw0rd1",
    async edit(...changes) {
      const script = join(import.meta.dirname, "samba-edit.py");
      const { code, stderr } = await python.run([script, conf, join(folder, "private/sam.ldb")], {
        input: JSON.stringify(changes),
        limitMs: 900_000,
      });
      if (code !== 0) throw new Error(`samba-edit.py ended with ${code}: ${stderr}`);
    },
    realm: REALM,
    shortName: SHORT_NAME,
    administratorPassword: ADMINISTRATOR_PASSWORD,
    krb5Conf,
    async keytab(principal, file) {
      const { code, stderr } = await tool.run(
        ["domain", "exportkeytab", file, `--principal=${principal}`, "-s", conf],
        { limitMs: 120_000 },
      );
      if (code !== 0) throw new Error(`samba-tool domain exportkeytab: ${stderr}`);
    },
    async start() {
      // Where it was killed, all of it must be gone: what still listens would be taken for the new one, which could not listen then.
      await dead;
      const args = [samba.program, "-s", conf, "-F", "--no-process-group", "--debug-stdout"];
      // Where its own parts find its winbind is compiled in.
      const own = `mkdir -p /run/samba && mount --bind ${folder}/samba /run/samba && exec "$@"`;
      const [program = "", ...rest] = members ? ["unshare", "--mount", "sh", "-c", own, "sh", ...args] : args;
      const started = spawn(program, rest, {
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
      });
      child = started;
      for (const stream of [started.stdout, started.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      await answering(address, members ? [...PORTS, SMB_PORT] : PORTS, () => started.exitCode === null);
    },
    async stop() {
      const stopped = child;
      child = undefined;
      if (stopped === undefined || stopped.exitCode !== null) return;
      process.kill(stopped.pid as number, "SIGTERM");
      await once(stopped, "exit");
      killGroup(stopped);
      while (await accepts(address, 636)) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    kill() {
      if (child === undefined) return;
      dead = once(child, "close");
      killGroup(child);
      child = undefined;
    },
    output: () => Buffer.concat(chunks).toString("utf8").slice(-4000),
    async close() {
      await domain.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await domain.edit(["user", "svc-viaduct", domain.password]);
    await domain.start();
  } catch (error) {
    await domain.close();
    throw error;
  }
  return domain;
}

function clientsConfiguration(address: string): string {
  return `[libdefaults]
  default_realm = ${REALM}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  ${REALM} = {
    kdc = ${address}
  }
[domain_realm]
  .${REALM.toLowerCase()} = ${REALM}
`;
}

async function provision(tool: Peer, folder: string, address: string): Promise<void> {
  // Else the machine's own smb.conf leaks into the new one.
  const empty = join(folder, "empty.conf");
  await writeFile(empty, "[global]\n");
  const { code, stdout, stderr } = await tool.run(
    [
      "domain",
      "provision",
      "-s",
      empty,
      "--server-role=dc",
      `--realm=${REALM}`,
      `--domain=${SHORT_NAME}`,
      `--adminpass=${ADMINISTRATOR_PASSWORD}`,
      "--dns-backend=SAMBA_INTERNAL",
      "--host-name=dc1",
      `--host-ip=${address}`,
      `--targetdir=${folder}`,
      `--option=interfaces=${address}/8`,
      "--option=bind interfaces only=yes",
    ],
    { limitMs: 180_000 },
  );
  if (code !== 0) throw new Error(`samba-tool domain provision: ${stderr}${stdout.toString()}`);
}

/** With the names that clients use; Samba's own certificate has none of them. */
async function makeCertificates(openssl: Peer, folder: string, host: string, address: string): Promise<void> {
  const tls = join(folder, "tls");
  const inTls = (name: string): string => join(tls, name);
  await Promise.all(
    ["tls", "run", "ncalrpc", "log", "samba"].map((name) => mkdir(join(folder, name), { recursive: true })),
  );
  const extensions = inTls("extensions");
  await writeFile(extensions, `subjectAltName=DNS:${host},IP:${address}\nextendedKeyUsage=serverAuth\n`);
  const key = ["-newkey", "rsa:2048", "-nodes"];
  const days = ["-days", "30"];
  for (const args of [
    ["req", "-x509", ...key, ...days, "-subj", "/CN=test CA", "-keyout", inTls("ca.key"), "-out", inTls("ca.pem")],
    [
      "req",
      "-x509",
      ...key,
      ...days,
      "-subj",
      "/CN=other CA",
      "-keyout",
      inTls("other.key"),
      "-out",
      inTls("other.pem"),
    ],
    ["req", ...key, "-subj", `/CN=${host}`, "-keyout", inTls("key.pem"), "-out", inTls("csr.pem")],
    [
      "x509",
      "-req",
      "-in",
      inTls("csr.pem"),
      "-CA",
      inTls("ca.pem"),
      "-CAkey",
      inTls("ca.key"),
      "-CAcreateserial",
      ...days,
      "-extfile",
      extensions,
      "-out",
      inTls("cert.pem"),
    ],
  ]) {
    const { code, stderr } = await openssl.run(args);
    if (code !== 0) throw new Error(`openssl: ${stderr}`);
  }
}

function configured(text: string, folder: string, members: boolean): string {
  const lines = [
    `pid directory = ${folder}/run`,
    `lock directory = ${folder}/run`,
    `ncalrpc dir = ${folder}/ncalrpc`,
    `ntp signd socket directory = ${folder}/run/ntp`,
    ...(members ? [] : [`winbindd socket directory = ${folder}/run/winbindd`]),
    `log file = ${folder}/log/log.%m`,
    `server services = ${members ? SERVICES_FOR_MEMBERS : SERVICES}`,
    `tls certfile = ${folder}/tls/cert.pem`,
    `tls keyfile = ${folder}/tls/key.pem`,
    `tls cafile = ${folder}/tls/ca.pem`,
    "allow dns updates = disabled",
    "load printers = no",
    "disable spoolss = yes",
  ];
  return text
    .replace(/^\s*dns forwarder.*\n/m, "")
    .replace("[global]\n", `[global]\n${lines.map((line) => `\t${line}\n`).join("")}`);
}

async function answering(address: string, ports: readonly number[], alive: () => boolean): Promise<void> {
  const until = performance.now() + START_MS;
  for (const port of ports)
    while (!(await accepts(address, port))) {
      if (!alive() || performance.now() > until) throw new Error(`Samba does not answer at ${address} port ${port}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

async function accepts(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), "SIGKILL");
  } catch {
    // All of it has ended.
  }
}
