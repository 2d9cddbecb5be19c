import { TOLD_TOPICS } from "../bridge/client-side/onvif/event-topics.ts";
import { FULL_PROFILES, ONVIF_PROFILES, type OnvifProfile } from "../bridge/client-side/onvif/profile-scopes.ts";
import { servedServices } from "./onvif-operations.ts";
import { FUNCTIONS, IN_PART, WHY_NOT } from "./onvif-profile-reasons.ts";
import { type Feature, PROFILE_TABLE } from "./onvif-profile-table.ts";

/** How one row of a profile stands. */
export interface Standing {
  readonly row: string;
  readonly state: "there" | "in part" | "missing";
  /** What of it there is, or why it is not there; what holds it, of what is no operation. */
  readonly why: string;
}

const TITLES: Readonly<Record<OnvifProfile, string>> = {
  S: "Profile S, `onvif://www.onvif.org/Profile/Streaming`",
  G: "Profile G, `onvif://www.onvif.org/Profile/G`",
  T: "Profile T, `onvif://www.onvif.org/Profile/T`",
};

/** Operations that are answered, as `tds:GetHostname`, at any of the services' paths. */
function answered(): ReadonlySet<string> {
  return new Set(
    servedServices().flatMap(({ table, handlers }) => [...handlers.keys()].map((name) => `${table.prefix}:${name}`)),
  );
}

/** How every row of a profile's feature stands. */
export function standingOf({ rows }: Feature, served = answered()): readonly Standing[] {
  return rows.map((row) => {
    const known = FUNCTIONS[row];
    if (known !== undefined)
      return "heldBy" in known
        ? { row, state: "there", why: `\`${known.heldBy}\`` }
        : { row, state: "missing", why: known.missing };
    const isThere = row.startsWith("tns1:") ? isTold(row.slice("tns1:".length)) : served.has(row);
    const part = IN_PART[row];
    if (isThere) return { row, state: part === undefined ? "there" : "in part", why: part ?? "" };
    return { row, state: "missing", why: WHY_NOT[row] ?? WHY_NOT[row.split(":", 1)[0] ?? ""] ?? "" };
  });
}

/** A topic, or one below it. */
function isTold(path: string): boolean {
  return TOLD_TOPICS.some((one) => one === path || one.startsWith(`${path}/`));
}

/** Whether a feature is there: all of it, or one row where one is enough. */
function isFull(feature: Feature, standing: readonly Standing[]): boolean {
  const has = ({ state }: Standing): boolean => state === "there";
  return feature.oneOf === true ? standing.some(has) : standing.every(has);
}

/** The profiles whose mandatory features are all there. */
export function fullProfiles(): readonly OnvifProfile[] {
  const served = answered();
  return ONVIF_PROFILES.filter((one) =>
    PROFILE_TABLE[one].every(
      (feature) => feature.need === "conditional" || isFull(feature, standingOf(feature, served)),
    ),
  );
}

function sectionOf(profile: OnvifProfile, served: ReadonlySet<string>): string {
  const features = PROFILE_TABLE[profile].map((feature) => ({ feature, standing: standingOf(feature, served) }));
  const mandatory = features.filter(({ feature }) => feature.need === "mandatory");
  const full = mandatory.filter(({ feature, standing }) => isFull(feature, standing)).length;
  const announced = FULL_PROFILES.includes(profile)
    ? "Announced."
    : `Not announced unless \`clientSide.profileScopes\` has \`${profile}\`.`;
  const rows = features.map(({ feature, standing }) => {
    const named = (state: Standing["state"]): string => {
      const by = Map.groupBy(
        standing.filter((one) => one.state === state),
        ({ why }) => (state === "there" ? "" : why),
      );
      return [...by]
        .map(([why, those]) => `${those.map(({ row }) => nameOf(row)).join(", ")}${why === "" ? "" : `: ${why}`}`)
        .join("; ");
    };
    const verdict = isFull(feature, standing) ? "full" : "";
    const name = feature.oneOf === true ? `${feature.name} (one of these)` : feature.name;
    return `| ${name} | ${feature.need} | ${verdict} | ${named("there")} | ${named("in part")} | ${named("missing")} |`;
  });
  return `## ${TITLES[profile]}

${full} of ${mandatory.length} mandatory features are full. ${announced}

| feature | need | | there | in part | missing |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

function nameOf(row: string): string {
  return /^\w+:/.test(row) ? `\`${row}\`` : row;
}

/** The page of the profiles, from the table and the services. */
export function profilesReference(): string {
  const served = answered();
  return `# ONVIF profiles

Made from \`scripts/onvif-profile-table.ts\` and the services by \`node scripts/reference.ts\`: what each profile wants of a device, after ONVIF's Profiles
Conformance Device Test Specification 21.12, and what of it there is. This is a self-test: ONVIF certifies only what its own tool has tested,
and Viaduct is not certified. A profile's scope is announced where all of its mandatory features are full, and \`test/bridge/onvif/profile-table.test.ts\` fails where
one is announced that is not; [why, and what that leaves out](../decisions/0040-profiles-announced.md). That operations do as
[their page](onvif-operations.md) says is tested one by one.

*Conditional*: of a device that has such a thing. *In part*: it answers, and does not do all that the profile means by it. Transports that are off by
default count as there, for they can be switched on.

${ONVIF_PROFILES.map((one) => sectionOf(one, served)).join("\n")}`;
}
