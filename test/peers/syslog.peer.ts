import { expect } from "chai";
import { hashOf, NOTHING } from "../../auth/audit/line.ts";
import { BEGINNING } from "../../auth/audit/tail.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { AuditForwarding } from "../../bridge/audit-forwarding.ts";
import type { DataFolder } from "../../bridge/data-folder.ts";
import { settingsSchema } from "../../bridge/settings.ts";
import { type AuditSite, auditSite, ENTRY } from "../auth/audit/fixture.ts";
import { eventually } from "../support/bridge.ts";
import { type Rsyslog, startRsyslog } from "../support/rsyslog.ts";

describe("rsyslog receives the audit log over TLS", () => {
  let rsyslog: Rsyslog;
  let site: AuditSite;
  let forwarding: AuditForwarding | undefined;

  beforeEach(async function () {
    rsyslog = await startRsyslog(this);
    site = await auditSite();
  });
  afterEach(async () => {
    await forwarding?.close();
    forwarding = undefined;
    await rsyslog.close();
    await site.close();
  });

  const forward = async (o: { readonly format?: string; readonly ca?: string } = {}): Promise<AuditForwarding> => {
    const settings = settingsSchema.parse({
      dataFolder: site.folder,
      cameraSide: { interfaces: ["192.0.2.0/24"] },
      clientSide: { addresses: ["127.0.0.1"] },
      audit: { forward: [{ name: "siem", host: "127.0.0.1", port: rsyslog.port, ca: rsyslog.certificate, ...o }] },
    });
    const folder = { file: (name: string) => `${site.folder}/${name}` } as DataFolder;
    const audit = { record: () => undefined };
    return AuditForwarding.start({ folder, settings, version: "1", audit, clock: systemClock, log: silentLog() });
  };
  const texts = async (): Promise<readonly string[]> => (await rsyslog.received()).map(([, , , , text]) => text.trim());

  it("with every line as it stands in the log, so that the chain can be followed there", async () => {
    site.write("ada", 'quote " bracket ] back \\ slash', "門");
    forwarding = await forward();
    await eventually(async () => (await rsyslog.received()).length === 4);
    const received = await rsyslog.received();
    let prev = NOTHING;
    for (const text of await texts()) {
      expect(JSON.parse(text)).to.include({ prev });
      prev = hashOf(text);
    }
    expect(received[1]?.slice(0, 3)).to.deep.equal(["110", "viaduct", "live"]);
    expect(received[1]?.[3]).to.contain('who="quote \\" bracket \\] back \\\\ slash"');
  });

  it("as CEF", async () => {
    site.write("a=b|c");
    forwarding = await forward({ format: "cef" });
    await eventually(async () => (await rsyslog.received()).length === 2);
    expect((await texts())[0]).to.match(/^CEF:0\|Viaduct\|Viaduct\|1\|live\|live allowed\|3\|.* suser=a\\=b\|c /);
  });

  it("whole, when it was away meanwhile, and goes on where it was after a restart of the bridge", async () => {
    site.write("a", "b");
    forwarding = await forward();
    await eventually(async () => (await texts()).length === 3);
    await rsyslog.kill();
    // Full files are put aside while nobody is there to read them.
    const audit = site.open({ fileBytes: 1000 });
    for (let n = 0; n < 50; n += 1) audit.record({ ...ENTRY, subject: `away ${n}` });
    audit.close();
    await forwarding.close();
    await rsyslog.start();
    forwarding = await forward();
    const last = audit.seq;
    await eventually(async () => (await texts()).some((text) => text.startsWith(`{"seq":${last},`)));
    const numbers = new Set((await texts()).map((text) => (JSON.parse(text) as { seq: number }).seq));
    expect([...numbers].toSorted((a, b) => a - b)).to.deep.equal(Array.from({ length: last }, (_, at) => at + 1));
  });

  it("unless it shows a certificate of somebody else: then it is sent nothing", async function () {
    site.write("a");
    const other = await startRsyslog(this);
    forwarding = await forward({ ca: other.certificate });
    await eventually(() => forwarding?.states[0]?.why !== undefined);
    await other.close();
    expect(forwarding.states[0]?.why).to.match(/certificate/);
    expect(await rsyslog.received()).to.deep.equal([]);
    expect(forwarding.states[0]?.received).to.equal(BEGINNING.seq);
  });
});
