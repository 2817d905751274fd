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
  window: { addEventListener() {} },
});
const run = (code) => vm.runInContext(code, page);
for (const name of ["_static/doctools.js", "_static/language_data.js", "_static/searchtools.js", "searchindex.js"])
  run(fs.readFileSync(path.join(site, name), "utf8").replace("_ready(Search.init);", ""));

const queries = JSON.parse(fs.readFileSync(0, "utf8"));
page.queries = queries;
// the page shows results from the last one to the first
run(`results = queries.map((query) => {
  const found = Search._performSearch(...Search._parseQuery(query)).reverse();
  return found.map(([page]) => page);
})`);
process.stdout.write(JSON.stringify(page.results));
