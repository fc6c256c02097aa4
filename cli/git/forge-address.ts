/** Where to open a pull or merge request for a branch, by what a forge's address looks like. */
type Form = (place: string, branch: string) => string;

const FORMS: readonly [RegExp, Form][] = [
  [/(?:^|\.)github\./, (place, branch) => `${place}/compare/${inPath(branch)}?expand=1`],
  [
    /(?:^|\.)gitlab\./,
    (place, branch) =>
      `${place}/-/merge_requests/new?merge_request%5Bsource_branch%5D=${encodeURIComponent(branch)}`,
  ],
  [/^bitbucket\.org$/, (place, branch) => `${place}/pull-requests/new?source=${encodeURIComponent(branch)}`],
];

function inPath(branch: string): string {
  return branch.split("/").map(encodeURIComponent).join("/");
}

/**
 * The address that opens a pull request of a branch, from a remote's URL as git takes it
 * (https://git-scm.com/docs/git-clone#_git_urls): GitHub, GitLab or Bitbucket; undefined for any other. User and
 * password of the URL are left out.
 */
export function compareAddress(remote_url: string, branch: string): string | undefined {
  const place = placeOf(remote_url);
  const form = place && FORMS.find(([host]) => host.test(place.host))?.[1];
  return form?.(`${place?.scheme}//${place?.host}/${place?.path}`, branch);
}

interface Place {
  scheme: string;
  host: string;
  path: string;
}

/** Hosts for ssh through a firewall, and where their pages are. */
const PAGES: Record<string, string> = {
  "ssh.github.com": "github.com",
  "altssh.gitlab.com": "gitlab.com",
  "altssh.bitbucket.org": "bitbucket.org",
};

function placeOf(remote_url: string): Place | undefined {
  const url = URL.parse(remote_url);
  if (url !== null && /^(?:https?|ssh|git):$/.test(url.protocol)) {
    const is_page = url.protocol.startsWith("http");
    // The port of ssh is not that of the pages.
    return made(is_page ? url.protocol : "https:", is_page ? url.host : url.hostname, url.pathname);
  }
  const [, host, path] = /^(?:[^@/\s]+@)?([^:/\s]+):(?!\/\/)(\S+)$/.exec(remote_url) ?? [];
  return host === undefined || path === undefined ? undefined : made("https:", host, path);
}

function made(scheme: string, host: string, pathname: string): Place | undefined {
  const path = pathname.replace(/^\/+|\/+$/g, "").replace(/\.git$/, "");
  // Owner and repository; GitLab has groups in groups.
  if (!/^[^/]+(?:\/[^/]+)+$/.test(path)) return undefined;
  const name = host.toLowerCase();
  return { scheme, host: PAGES[name] ?? name, path };
}
