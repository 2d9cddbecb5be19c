import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { type Peer, peer } from "./peer.ts";
import type { SambaDomain } from "./samba.ts";

/** How long winbind may take to answer at first, on a busy machine. */
const START_MS = 60_000;

const FOLDERS = ["private", "lock", "state", "cache", "run", "log", "socket", "ncalrpc"];

/** A machine that has joined the domain, beside it: winbind in a mount namespace of its own, for its socket's place is compiled in. */
export interface DomainMember {
  /** Programs that are `ntlm_auth` for that winbind: as root, and as somebody who may not use its privileged pipe. */
  readonly helper: string;
  readonly helperOfNobody: string;
  /** Ends winbind. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** Joins the domain and starts winbind, or skips the test or hook of `context` where it is missing. */
export async function startMember(context: Context, domain: SambaDomain, address: string): Promise<DomainMember> {
  const winbind = peer(context, "/usr/sbin/winbindd");
  const ntlmAuth = peer(context, "/usr/bin/ntlm_auth");
  const net = peer(context, "net");
  const unshare = peer(context, "unshare");
  const nsenter = peer(context, "nsenter");
  const setpriv = peer(context, "setpriv");
  const folder = await mkdtemp(join(tmpdir(), "member-"));
  // For somebody who is not root.
  await chmod(folder, 0o755);
  for (const name of FOLDERS) await mkdir(join(folder, name));
  const conf = join(folder, "smb.conf");
  await writeFile(conf, configuration(domain, folder, address));
  await writeFile(join(folder, "resolv.conf"), `nameserver ${domain.address}\n`);
  await writeFile(
    join(folder, "hosts"),
    `127.0.0.1 localhost\n${domain.address} ${domain.host}\n${address} bridge.${domain.domain} bridge\n`,
  );
  const inside = (command: string): readonly string[] => [
    "--mount",
    "sh",
    "-ec",
    `mkdir -p /run/samba
    mount --bind ${folder}/resolv.conf /etc/resolv.conf
    mount --bind ${folder}/hosts /etc/hosts
    mount --bind ${folder}/socket /run/samba
    ${command}`,
  ];
  try {
    await joinDomain(
      unshare,
      inside(
        `exec ${net.program} ads join -s ${conf} -U Administrator%${domain.administratorPassword} --no-dns-updates`,
      ),
      domain,
    );
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const child = spawn(
    unshare.program,
    inside(`exec ${winbind.program} -s ${conf} -F --no-process-group --debug-stdout`),
    {
      detached: true,
      stdio: ["ignore", "ignore", "ignore"],
      env: { ...process.env, KRB5_CONFIG: domain.krb5Conf },
    },
  );
  const enter = `exec ${nsenter.program} --mount=/proc/${child.pid}/ns/mnt`;
  const helper = join(folder, "ntlm_auth");
  const helperOfNobody = join(folder, "ntlm_auth-of-nobody");
  const nobody = `${setpriv.program} --reuid=65534 --regid=65534 --clear-groups`;
  await writeFile(helper, `#!/bin/sh\n${enter} ${ntlmAuth.program} --configfile=${conf} "$@"\n`, { mode: 0o755 });
  await writeFile(helperOfNobody, `#!/bin/sh\n${enter} ${nobody} ${ntlmAuth.program} --configfile=${conf} "$@"\n`, {
    mode: 0o755,
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    killGroup(child);
    await ended;
  };
  const member = {
    helper,
    helperOfNobody,
    stop,
    async close() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await answering(nsenter, child);
  } catch (error) {
    await member.close();
    throw error;
  }
  return member;
}

async function joinDomain(unshare: Peer, args: readonly string[], { krb5Conf }: SambaDomain): Promise<void> {
  const { code, stdout, stderr } = await unshare.run(args, { limitMs: 120_000, env: { KRB5_CONFIG: krb5Conf } });
  if (code !== 0) throw new Error(`net ads join: ${stderr}${stdout.toString()}`);
}

async function answering(nsenter: Peer, child: ChildProcess): Promise<void> {
  const until = performance.now() + START_MS;
  for (;;) {
    const { code } = await nsenter.run([`--mount=/proc/${child.pid}/ns/mnt`, "wbinfo", "-t"]);
    if (code === 0) return;
    if (child.exitCode !== null || performance.now() > until) throw new Error("winbind does not answer");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function configuration({ realm, shortName }: SambaDomain, folder: string, address: string): string {
  return `[global]
  security = ADS
  realm = ${realm}
  workgroup = ${shortName}
  netbios name = BRIDGE
  interfaces = ${address}/8
  bind interfaces only = yes
  private dir = ${folder}/private
  lock directory = ${folder}/lock
  state directory = ${folder}/state
  cache directory = ${folder}/cache
  pid directory = ${folder}/run
  ncalrpc dir = ${folder}/ncalrpc
  log file = ${folder}/log/log
  kerberos method = secrets only
  idmap config * : backend = tdb
  idmap config * : range = 100000-199999
  rpc start on demand helpers = false
`;
}

/** With what winbind has started for itself. */
function killGroup(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), "SIGKILL");
  } catch {
    // All of it has ended.
  }
}
