import { type JSX, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { AccountMenu } from "./account-menu.tsx";
import { api, type Session } from "./api.ts";
import { Accounts } from "./pages/accounts.tsx";
import { Approvals, toAnswer } from "./pages/approvals.tsx";
import { Audit } from "./pages/audit.tsx";
import { Cameras } from "./pages/cameras.tsx";
import { Directories } from "./pages/directory.tsx";
import { Discovery } from "./pages/discovery.tsx";
import { Exports } from "./pages/exports.tsx";
import { LogIn } from "./pages/login.tsx";
import { Playback } from "./pages/playback/playback.tsx";
import { Roles } from "./pages/roles/roles.tsx";
import { Storage } from "./pages/storage.tsx";
import { Copyable, Mark, Trouble, wordsOf } from "./parts.tsx";
import { Waiting } from "./waiting.tsx";
import "./style.css";

const PAGES = [
  { path: "/", title: "Cameras", right: undefined },
  { path: "/playback", title: "Playback", right: "playback" },
  { path: "/exports", title: "Exports", right: "export" },
  { path: "/approvals", title: "Approvals", right: undefined },
  { path: "/discovery", title: "Discovery", right: "adopt-camera" },
  { path: "/storage", title: "Storage", right: "adopt-camera" },
  { path: "/accounts", title: "Accounts", right: "manage-accounts" },
  { path: "/roles", title: "Roles", right: "manage-accounts" },
  { path: "/directory", title: "Directory", right: "manage-directory" },
  { path: "/audit", title: "Audit", right: "read-audit" },
] as const;

/** How often it is looked whether something waits to be approved. */
const COUNT_MS = 10_000;

function App(): JSX.Element {
  const [session, setSession] = useState<Session | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const [path, setPath] = useState(location.pathname);
  const [waiting, setWaiting] = useState(0);
  const [about, setAbout] = useState<{ version: string; onvif: string } | undefined>(undefined);
  const load = (): void => {
    api.session().then(setSession, (error: unknown) => setTrouble(wordsOf(error)));
  };
  useEffect(() => {
    load();
    const back = (): void => setPath(location.pathname);
    window.addEventListener("popstate", back);
    return () => window.removeEventListener("popstate", back);
  }, []);
  useEffect(() => {
    if (session?.account) api.about().then(setAbout, () => undefined);
    const { approvals = false, rights = [] } = session?.account ?? {};
    setWaiting(0);
    if (!approvals || !rights.includes("approve")) return undefined;
    const count = (): void => {
      api.approvals().then(
        (all) => setWaiting(toAnswer(all)),
        () => undefined,
      );
    };
    count();
    const timer = window.setInterval(count, COUNT_MS);
    return () => window.clearInterval(timer);
  }, [session]);

  if (session === undefined)
    return (
      <main class="log-in">{trouble === undefined ? <p class="loading">Loading…</p> : <Trouble text={trouble} />}</main>
    );
  const { account } = session;
  const computer = session.kerberos === true ? "kerberos" : session.ntlm === true ? "ntlm" : undefined;
  if (account === null) return <LogIn setUpNeeded={session.setUpNeeded} computer={computer} onDone={load} />;

  const go = (to: string): void => {
    history.pushState(null, "", to);
    setPath(to);
  };
  const may = (right: string | undefined): boolean => right === undefined || account.rights.includes(right);
  const pages = PAGES.filter((page) => may(page.right) && (page.path !== "/approvals" || account.approvals === true));
  const page = pages.find((one) => one.path === path) ?? PAGES[0];
  return (
    <>
      <header class="top">
        <div class="brand">
          <Mark />
          <h1>Viaduct</h1>
        </div>
        <nav aria-label="Pages">
          {pages.map((one) => (
            <a
              key={one.path}
              href={one.path}
              aria-current={one === page ? "page" : undefined}
              onClick={(event) => {
                event.preventDefault();
                go(one.path);
              }}
            >
              {one.title}
              {one.path === "/approvals" && waiting > 0 ? ` (${waiting})` : ""}
            </a>
          ))}
        </nav>
        <span class="grow" />
        <AccountMenu account={account} onChange={load} />
      </header>
      <main>
        {page.path === "/" ? <Cameras mayAdopt={may("adopt-camera")} onDiscover={() => go("/discovery")} /> : null}
        {page.path === "/playback" ? (
          <Playback may={{ bookmark: may("bookmark"), lock: may("lock"), fetch: may("fetch") }} />
        ) : null}
        {page.path === "/exports" ? <Exports /> : null}
        {page.path === "/approvals" ? (
          <Approvals mayApprove={may("approve")} onCount={may("approve") ? setWaiting : () => undefined} />
        ) : null}
        {page.path === "/discovery" ? <Discovery onAdopted={() => go("/")} /> : null}
        {page.path === "/storage" ? <Storage /> : null}
        {page.path === "/accounts" ? <Accounts own={account.name} /> : null}
        {page.path === "/roles" ? <Roles /> : null}
        {page.path === "/directory" ? <Directories /> : null}
        {page.path === "/audit" ? <Audit /> : null}
      </main>
      <Waiting />
      {about === undefined ? null : (
        <footer class="about">
          <span>Viaduct {about.version}</span>
          <span>
            ONVIF device <Copyable text={about.onvif} label="ONVIF address" />
          </span>
        </footer>
      )}
    </>
  );
}

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
