import type { Target } from "./target.ts";

/** Every reader of foreign bytes. A group is loaded by itself, for looking at what ran takes time for all code that is loaded. */
const GROUPS: Readonly<Record<string, () => Promise<{ readonly TARGETS: readonly Target[] }>>> = {
  rtsp: () => import("./targets/rtsp.ts"),
  headers: () => import("./targets/headers.ts"),
  "log-in": () => import("./targets/log-in.ts"),
  xml: () => import("./targets/xml.ts"),
  packets: () => import("./targets/packets.ts"),
  ldap: () => import("./targets/ldap.ts"),
  files: () => import("./targets/files.ts"),
  exports: () => import("./targets/exports.ts"),
  "camera-signatures": () => import("./targets/camera-signatures.ts"),
};

/** A target, and the group that it stands in. */
export interface GroupedTarget {
  readonly group: string;
  readonly target: Target;
}

/** All of them, or those of a group. */
export async function targetsOf(group?: string): Promise<readonly GroupedTarget[]> {
  const groups = Object.entries(GROUPS).filter(([name]) => group === undefined || name === group);
  const loaded = await Promise.all(groups.map(async ([name, load]) => ({ name, ...(await load()) })));
  return loaded.flatMap(({ name, TARGETS }) => TARGETS.map((target) => ({ group: name, target })));
}
