import { systemClock } from "../base/clock.ts";
import type { SearchSessions } from "../bridge/client-side/onvif/search-sessions.ts";
import { onvifServices } from "../bridge/client-side/onvif/services.ts";
import type { OnvifSite } from "../bridge/client-side/onvif/site.ts";
import type { Subscriptions } from "../bridge/client-side/onvif/subscriptions.ts";
import type { EventBus } from "../bridge/event-bus.ts";
import type { Service } from "../onvif/server/service.ts";

const TITLES: Readonly<Record<string, string>> = {
  tds: "Device",
  trt: "Media (1.0)",
  tr2: "Media2 (2.0)",
  tev: "Event",
  wsnt: "Event, WS-BaseNotification",
  trc: "Recording",
  tse: "Search",
  trp: "Replay",
  tptz: "PTZ",
  timg: "Imaging",
  tmd: "Device I/O",
};

/** What a bridge serves that sends events, too. Only names, access classes and rights are looked at. */
export function servedServices(): readonly Service[] {
  return onvifServices({
    site: {} as OnvifSite,
    bus: {} as EventBus,
    subscriptions: {} as Subscriptions,
    searches: {} as SearchSessions,
    notifications: {} as NonNullable<Parameters<typeof onvifServices>[0]["notifications"]>,
    clock: systemClock,
  });
}

function rowsOf({ table, path, handlers }: Service): readonly string[] {
  const served = Object.entries(table.operations).map(([name, { access }]) => {
    const handler = handlers.get(name);
    const needs = typeof handler === "object" ? `\`${handler.needs}\`` : "";
    return `| \`${table.prefix}:${name}\` | ${path} | ${access} | ${needs} | answered |`;
  });
  const others = [...table.others].map(
    ([name, access]) => `| \`${table.prefix}:${name}\` | ${path} | ${access} | | \`ActionNotSupported\` |`,
  );
  return [...served, ...others];
}

/** Each operation of each service that is served, and what comes of asking for it. */
export function operationsReference(): string {
  const byPrefix = Map.groupBy(servedServices(), ({ table }) => table.prefix);
  const sections = [...byPrefix].map(
    ([prefix, all]) =>
      `## ${TITLES[prefix] ?? prefix}\n\n| operation | at | access class | right | result |\n| --- | --- | --- | --- | --- |\n${[
        ...new Set(all.flatMap(rowsOf)),
      ].join("\n")}\n`,
  );
  return `# ONVIF operations

Made from the services by \`node scripts/reference.ts\`. This is a self-test: ONVIF certifies only what its own tool has tested, which only its
members have, and Viaduct is not certified. \`test/bridge/onvif/conformance.test.ts\` asks for every line of this page and fails where something
else comes of it: as an account that may everything, without a log-in, and without the right that is named. In \`crawl.test.ts\` all
of them are asked with mutated arguments besides, as every kind of account. Every answer and fault is held to ONVIF's schemas.

*At*: below \`/onvif/\`; \`subscription/\` with the name of one behind it. *Right*: over the camera that is named, demanded before anything is done. Where none is named, the answer tells of what the account may
see. PRE_AUTH needs no log-in; READ_SYSTEM_SECRET, WRITE_SYSTEM and UNRECOVERABLE need the right to manage accounts; all others, an account.
Without a log-in they are answered \`NotAuthorized\`. What is not supported says so to who might use it if it were there. \`wsnt:Subscribe\`,
\`PauseSubscription\` and \`ResumeSubscription\` are there where \`clientSide.notifications\` lists addresses, \`CreateUsers\`, \`SetUser\`
and \`DeleteUsers\` where \`clientSide.userLevels\` names roles.

${sections.join("\n")}`;
}
