import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Accounts } from "../../auth/accounts.ts";
import { systemClock } from "../../base/clock.ts";
import { type Identity, loadIdentity } from "../../net/tls.ts";

/** With which a site answers over TLS. */
export async function testIdentity(): Promise<Identity> {
  const folder = await mkdtemp(join(tmpdir(), "viaduct-identity-"));
  try {
    return await loadIdentity(folder, ["localhost"], systemClock);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Makes roles with these ids, by which one may watch through ONVIF. */
export async function withRoles(accounts: Accounts, roles: Iterable<string>): Promise<void> {
  for (const id of roles)
    await accounts.setPart("role", id, {
      name: id,
      grants: [{ right: "live", cameras: "any", interfaces: new Set(["onvif", "rtsp"]) }],
    });
}
