import { hostname } from "node:os";
import { AUDIT_FILE } from "../auth/audit/files.ts";
import type { Audit } from "../auth/audit.ts";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import type { Log } from "../base/log.ts";
import { serverSide } from "../net/consumers.ts";
import { resolveName } from "../net/resolve.ts";
import { dial } from "../net/tcp.ts";
import { readCa } from "./certificates-file.ts";
import { AuditForwarder, type ForwardState, type ForwardTarget } from "./client-side/audit-forwarder.ts";
import type { DataFolder } from "./data-folder.ts";
import type { Settings } from "./settings.ts";

/** Sends the audit log to everybody who is configured. */
export class AuditForwarding implements Closable {
  readonly #forwarders: readonly AuditForwarder[];

  /** Faults of reading certificates and positions. */
  static async start(
    o: { readonly folder: DataFolder; readonly settings: Settings; readonly version: string } & {
      readonly audit: Audit;
      readonly clock: Clock;
      readonly log: Log;
    },
  ): Promise<AuditForwarding> {
    const { folder, settings, version, audit, clock, log } = o;
    const origin = { host: hostname(), version };
    const current = folder.file(AUDIT_FILE);
    const forwarders: AuditForwarder[] = [];
    for (const one of settings.audit.forward) {
      const ca = one.ca === undefined ? undefined : await readCa(one.ca, "audit.forward.ca");
      const target = targetOf(one, ca, settings.cameraSide.interfaces, clock);
      const positionFile = folder.file(`audit-forwarded-${one.name}.json`);
      forwarders.push(await AuditForwarder.start({ target, current, positionFile, origin, audit, clock, log }));
    }
    return new AuditForwarding(forwarders);
  }

  private constructor(forwarders: readonly AuditForwarder[]) {
    this.#forwarders = forwarders;
  }

  get states(): readonly ForwardState[] {
    return this.#forwarders.map(({ state }) => state);
  }

  async close(): Promise<void> {
    await Promise.all(this.#forwarders.map((one) => one.close()));
  }
}

type ForwardSettings = Settings["audit"]["forward"][number];

function targetOf(
  { name, host, port, format }: ForwardSettings,
  ca: string | undefined,
  cameraInterfaces: readonly string[],
  clock: Clock,
): ForwardTarget {
  const side = serverSide(host, cameraInterfaces);
  return {
    name,
    format,
    async dial(timeoutMs, signal) {
      let last: unknown = new Fault("unavailable", `no address of ${host}`);
      for (const address of await resolveName(host)) {
        try {
          const tls = { name: host, ...(ca === undefined ? {} : { ca }) };
          return await dial({ host: address, port, side, clock, timeoutMs, signal, tls });
        } catch (error) {
          last = error;
        }
      }
      throw last;
    },
  };
}
