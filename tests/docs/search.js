// Searches a built site as its search page does, by the searchtools.js of that site.
//
//     node search.js SITE < QUERIES (a JSON list) > RESULTS (a JSON list of lists of pages)
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const site = process.argv[2];
const nothing = { addEventListener() {}, childNodes: [], hasChildNodes: () => false };
const page = vm.createContext({
  document: { ...nothing, readyState: "loading", getElementById: () => nothing },
  localStorage: { setItem() {} },
});
page.window = page;
const run = (code) => vm.runInContext(code, page);
for (const name of ["doctools.js", "sphinx_highlight.js", "language_data.js", "searchtools.js"])
  run(fs.readFileSync(path.join(site, "_static", name), "utf8"));
run(fs.readFileSync(path.join(site, "searchindex.js"), "utf8"));

const queries = JSON.parse(fs.readFileSync(0, "utf8"));
page.queries = queries;
// the page shows results from the last one to the first
run(`results = queries.map((query) => {
  const found = Search._performSearch(...Search._parseQuery(query)).reverse();
  return found.map(([page]) => page);
})`);
process.stdout.write(JSON.stringify(page.results));
