import { expect, it } from "vitest";
import { compareAddress } from "./forge-address.ts";

it.each([
  ["https://github.com/acme/shop.git", "https://github.com/acme/shop/compare/fix/%23a?expand=1"],
  ["git@github.com:acme/shop.git", "https://github.com/acme/shop/compare/fix/%23a?expand=1"],
  ["ssh://git@ssh.github.com:443/acme/shop", "https://github.com/acme/shop/compare/fix/%23a?expand=1"],
  [
    "https://me:token@github.acme.example:8443/acme/shop/",
    "https://github.acme.example:8443/acme/shop/compare/fix/%23a?expand=1",
  ],
  [
    "git@gitlab.com:group/sub/shop.git",
    "https://gitlab.com/group/sub/shop/-/merge_requests/new?merge_request%5Bsource_branch%5D=fix%2F%23a",
  ],
  [
    "ssh://git@gitlab.acme.example:2222/group/shop.git",
    "https://gitlab.acme.example/group/shop/-/merge_requests/new?merge_request%5Bsource_branch%5D=fix%2F%23a",
  ],
  ["git@bitbucket.org:acme/shop.git", "https://bitbucket.org/acme/shop/pull-requests/new?source=fix%2F%23a"],
])("finds the address of %s", (remote, address) => {
  expect(compareAddress(remote, "fix/#a")).toBe(address);
});

it.each([
  "/srv/git/shop.git",
  "../shop.git",
  "file:///srv/git/acme/shop.git",
  "https://git.acme.example/acme/shop.git",
  "https://notgithub.com/acme/shop.git",
  "https://github.com/shop.git",
  "https://example.com/github.com/acme/shop",
  "C:\\git\\shop",
  "",
])("knows no form of %j", (remote) => {
  expect(compareAddress(remote, "fix")).toBeUndefined();
});
