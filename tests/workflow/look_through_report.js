// Goes through a Snakemake report as a reader would: opens each category, each figure and its
// description, and leaves what it saw as JSON in the page.
window.addEventListener("load", async () => {
    const seen = { problems: window.problems, figures: {}, introduction: "" };
    const pause = () => new Promise((resume) => setTimeout(resume, 200));
    const open = async (category) => {
        app.setView({ navbarMode: "menu" });
        await pause();
        app.showCategory(category);
        await pause();
    };
    const icons = (table) => [...table.querySelectorAll("a[type=button]")];
    try {
        await pause();
        app.setView({ content: "rulegraph" });
        await pause();
        seen.introduction = document.querySelector(".prose").innerText;
        for (const category of Object.keys(categories)) {
            await open(category);
            const rows = document.querySelectorAll("table tbody tr").length;
            for (let row = 0; row < rows; row++) {
                const cells = document.querySelectorAll("table tbody tr")[row];
                const label = cells.innerText.trim();
                icons(cells)[0].click();
                await pause();
                const image = document.querySelector(".p-3 > img");
                for (let i = 0; i < 50 && !image.complete; i++) await pause();
                const box = image.getBoundingClientRect();
                const path = app.state.resultPath;
                app.showResultInfo(path);
                await pause();
                seen.figures[path] = {
                    category, label, width: image.naturalWidth, shown: box.width * box.height,
                    description: document.querySelector("#app").innerText,
                };
                await open(category);
            }
        }
    } catch (error) {
        seen.problems.push(String(error.stack || error));
    }
    const note = document.createElement("pre");
    note.id = "seen";
    note.textContent = JSON.stringify(seen);
    document.body.replaceChildren(note);
});
