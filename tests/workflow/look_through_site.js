// Opens every page of the site in a frame, as a reader would, and sends what it saw to the server:
// pictures that did not load, what was asked of other servers, colours of both schemes, a search.
window.addEventListener("load", async () => {
    const seen = { pages: {}, search: [], schemes: [] };
    const pause = (time = 50) => new Promise((resume) => setTimeout(resume, time));
    const until = async (found) => {
        for (let k = 0; k < 200 && !found(); k++) await pause();
        return found();
    };
    const frame = document.createElement("iframe");
    frame.width = 1300;
    frame.height = 900;
    document.body.append(frame);
    const open = async (path) => {
        frame.src = path;
        await new Promise((resume) => frame.addEventListener("load", resume, { once: true }));
        return [frame.contentWindow, frame.contentDocument];
    };
    try {
        for (const path of PAGES) {
            const [view, page] = await open(path);
            const images = [...page.images];
            images.forEach((image) => (image.loading = "eager"));
            await until(() => images.every((image) => image.complete));
            seen.pages[path] = {
                problems: view.problems,
                images: images.length,
                broken: images.filter((image) => !image.naturalWidth).map((image) => image.src),
                elsewhere: view.performance
                    .getEntriesByType("resource")
                    .map((one) => one.name)
                    .filter((name) => /^https?:/.test(name) && !name.startsWith(location.origin)),
                heading: page.querySelector("h1")?.innerText ?? "",
                words: page.querySelector("article").innerText.split(/\s+/).length,
                wide: page.documentElement.scrollWidth - view.innerWidth,
            };
        }
        const [view, page] = await open(PAGES[0]);
        for (const choice of page.querySelectorAll("input[name=__palette]")) {
            choice.click();
            await pause(400);
            const style = view.getComputedStyle(page.body);
            seen.schemes.push([
                page.body.dataset.mdColorScheme, style.backgroundColor, style.color,
            ]);
        }
        const query = page.querySelector("input[data-md-component=search-query]");
        page.querySelector("#__search").click();
        query.focus();
        query.value = "clustering";
        query.dispatchEvent(new view.Event("input", { bubbles: true }));
        query.dispatchEvent(new view.KeyboardEvent("keyup", { bubbles: true }));
        const results = () => [...page.querySelectorAll(".md-search-result__item a")];
        await until(() => results().length > 0);
        seen.search = results().map((link) => [link.getAttribute("href"), link.innerText]);
        seen.problems = view.problems;
    } catch (error) {
        seen.failed = String(error.stack || error);
    }
    await fetch("/seen", { method: "POST", body: JSON.stringify(seen) });
});
