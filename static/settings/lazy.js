// With scripts, what takes its time is fetched after the page is there: this tells the server so.
for (const field of document.querySelectorAll("input[name=lazy]")) field.disabled = false;
