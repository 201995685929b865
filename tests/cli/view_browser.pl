#!/usr/bin/perl
# Opens the live page in Chromium by WebDriver, presses keys in it, and prints what it found: one `NAME<TAB>VALUE` a line.
#   view_browser.pl URL PICTURES          PICTURES: a folder for clean.png and attack.png; empty: none
# Core modules of Perl alone. The driver and the browser are children of this process, and end with it.
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;
use MIME::Base64;
use Time::HiRes qw(sleep time);

my ($url, $pictures) = @ARGV;
my $http = HTTP::Tiny->new(timeout => 20);
my ($driver, $session, $pid, $profile) = ('', '', 0, '');
$| = 1;
binmode STDOUT, ':utf8';

sub found { printf "%s\t%s\n", $_[0], $_[1] // '' }

sub ask {
    my ($method, $path, $body) = @_;
    my $r = $http->request($method, "$driver$path",
        $method eq 'POST' ? { content => encode_json($body // {}), headers => { 'Content-Type' => 'application/json' } } : {});
    my $o = eval { decode_json($r->{content}) };
    die "$method $path: $r->{status} " . substr($r->{content}, 0, 300) . "\n" unless $r->{success};
    return $o->{value};
}
sub of_session { my ($method, $path, $body) = @_; return ask($method, "/session/$session$path", $body) }
sub js { my ($code, @arguments) = @_; return of_session('POST', '/execute/sync', { script => $code, args => \@arguments }) }
sub devtools { my ($cmd, $params) = @_; return of_session('POST', '/goog/cdp/execute', { cmd => $cmd, params => $params // {} }) }

# Looks again and again until the script gives something true.
sub wait_for {
    my ($what, $code) = @_;
    my $end = time + 15;
    while (time < $end) {
        my $value = js($code);
        return $value if $value;
        sleep 0.1;
    }
    die "waited in vain for $what\n";
}

sub press {
    my @keys = @_;
    of_session('POST', '/actions', { actions => [ { type => 'key', id => 'k',
        actions => [ map { ({ type => 'keyDown', value => $_ }, { type => 'keyUp', value => $_ }) } @keys ] } ] });
}

sub picture {
    my ($name, $height) = @_;
    return unless $pictures;
    my $shot = devtools('Page.captureScreenshot', { format => 'png', optimizeForSpeed => JSON::PP::false,
        captureBeyondViewport => JSON::PP::true,
        clip => { x => 0, y => 0, width => js('return document.documentElement.clientWidth'), height => $height, scale => 1 } });
    open(my $f, '>:raw', "$pictures/$name.png") or die "$pictures/$name.png: $!\n";
    print $f decode_base64($shot->{data});
    close $f or die "$pictures/$name.png: $!\n";
}

sub start_driver {
    $profile = `mktemp -d`;
    chomp $profile;
    pipe(my $from, my $to) or die "pipe: $!\n";
    $pid = fork // die "fork: $!\n";
    if (!$pid) {
        setpgrp;
        open(STDOUT, '>&', $to);
        open(STDERR, '>&', $to);
        exec 'chromedriver', '--port=0';
        exit 127;
    }
    close $to;
    while (my $line = <$from>) {
        next unless $line =~ /started successfully on port (\d+)/;
        $driver = "http://127.0.0.1:$1";
        return;
    }
    die "the driver did not start\n";
}

sub leave {
    eval { ask('DELETE', "/session/$session") } if $session;
    if ($pid) { kill 'TERM', -$pid; waitpid($pid, 0) }
    system('rm', '-rf', $profile) if $profile;
    ($session, $pid, $profile) = ('', 0, '');
}
END { my $code = $?; leave(); $? = $code }
$SIG{TERM} = $SIG{INT} = sub { exit 1 };

# Text whose contrast with its ground is below 4.5.
my $contrast = <<'JS';
const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return { r: m[0], g: m[1], b: m[2], a: m.length > 3 ? m[3] : 1 }; };
const light = (c) => { const f = (v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
  return .2126 * f(c.r) + .7152 * f(c.g) + .0722 * f(c.b); };
const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a > .99) return c; }
  return { r: 255, g: 255, b: 255 }; };
const bad = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let seen = 0;
for (let n; (n = walk.nextNode());) {
  const e = n.parentElement;
  if (!n.textContent.trim() || !e.checkVisibility() || ["SCRIPT", "STYLE"].includes(e.tagName)) continue;
  const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  seen++;
  if (ratio < 4.5) bad.push(`${e.tagName} "${n.textContent.trim().slice(0, 30)}" ${ratio.toFixed(2)}`);
}
return bad.length ? bad.join("; ") : seen > 40 ? "none" : `only ${seen} texts`;
JS

eval {
    start_driver();
    my $s = ask('POST', '/session', { capabilities => { alwaysMatch => { 'browserName' => 'chrome',
        'goog:loggingPrefs' => { browser => 'ALL', performance => 'ALL' },
        'goog:chromeOptions' => { args => [ '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
            '--disable-background-networking', '--no-first-run', '--disable-component-update', "--user-data-dir=$profile",
            '--window-size=850,1400', '--force-device-scale-factor=1', '--hide-scrollbars' ] } } } });
    $session = $s->{sessionId};
    of_session('POST', '/url', { url => $url });
    found(title => of_session('GET', '/title'));

    my $first = wait_for('a verified frame', 'return +document.getElementById("frames_ok").textContent.replace(/,/g, "")');
    wait_for('the picture', 'return document.querySelector("#live img").naturalWidth');
    wait_for('the identity', 'return !document.getElementById("identity").hidden');
    wait_for('the buttons', 'return !document.getElementById("attack").hidden');
    my $then = wait_for('more frames', "const n = +document.getElementById('frames_ok').textContent.replace(/,/g, ''); return n > $first ? n : 0");
    found(counters => $then > $first ? 'advance' : "$first $then");
    found(status => js('return document.getElementById("status").textContent'));
    found(live => js('return document.getElementById("live-text").textContent'));
    found(identity => js('return document.getElementById("facts").textContent'));
    found(measurements => js('return [...document.querySelectorAll("#measurements tr")].map((r) => r.lastChild.textContent).join("|")'));
    found(pixels => js('const i = document.querySelector("#live img"), c = document.createElement("canvas"); c.width = i.naturalWidth;' .
        'c.height = i.naturalHeight; const x = c.getContext("2d"); x.drawImage(i, 0, 0); const d = x.getImageData(0, 0, c.width, c.height).data;' .
        'const seen = new Set(); for (let n = 0; n < d.length; n += 4 * 37) seen.add(d[n] << 16 | d[n + 1] << 8 | d[n + 2]);' .
        'return seen.size > 50 ? "many colours" : `${seen.size} colours`'));
    found(contrast_light => js($contrast));
    sleep 1.2 if $pictures;
    picture('clean', js('return document.getElementById("attack").getBoundingClientRect().top - 8'));

    # Without a mouse: Tab from the top of the page to the button, then Enter.
    my (@order, $button);
    js('window.scrollTo(0, 0); document.activeElement.blur()');
    for (1 .. 25) {
        press("\x{E004}");
        my $at = js('const e = document.activeElement, o = getComputedStyle(e); return [e.tagName + (e.dataset.attack ? ":" + e.dataset.attack : e.id ? "#" + e.id : e.className ? "." + e.className : ""),' .
            'o.outlineStyle !== "none" && parseFloat(o.outlineWidth) >= 2 ? "seen" : "unseen"]');
        push @order, "$at->[0]=$at->[1]";
        if ($at->[0] eq 'BUTTON:pixel-bit') { $button = 1; last }
    }
    found(focus => join ' ', @order);
    die "the keyboard does not reach the button: @order\n" unless $button;
    press("\x{E007}");
    my $refused = wait_for('a refused frame', 'const t = document.getElementById("refused-text").textContent; return /refused/.test(t) && /tag/.test(t) ? t : ""');
    found(refused => $refused);
    found(spoken => wait_for('the status', 'const e = document.getElementById("status"); return e.dataset.state === "bad" ? e.textContent : ""'));
    found(outcome => wait_for('the outcome', 'const r = document.querySelector("#presses tr"); return r && !/waiting/.test(r.textContent) ? [...r.children].map((c) => c.textContent).join("|") : ""'));
    found(marks => js('return [...document.querySelectorAll("#refused .marks li")].map((l) => l.textContent).join("|")'));
    found(mark_place => wait_for('the mark', 'const b = document.querySelector("#refused .marks .band"), p = document.getElementById("refused"); if (!b) return "";' .
        'const r = b.getBoundingClientRect(), q = p.getBoundingClientRect(); return [((r.top + r.bottom) / 2 - q.top) / q.height, r.height, getComputedStyle(b).backgroundImage].join("|")'));
    found(event => wait_for('the event', 'return [...document.querySelectorAll("#events tr")].map((r) => [...r.children].slice(1, 6).map((c) => c.textContent).join("|")).find((t) => /frame refused/.test(t))'));
    found(verdict_counted => wait_for('the verdict', 'return document.querySelector("#verdicts tr")?.textContent'));
    wait_for('the refused picture', 'return document.querySelector("#refused img").naturalWidth');
    sleep 1.2 if $pictures;
    picture('attack', js('window.scrollTo(0, 0); return document.querySelector("#buttons > ul").getBoundingClientRect().bottom + 10'));
    found(again => wait_for('frames that verify again', 'const e = document.getElementById("status"); return e.dataset.state === "good" ? e.textContent : ""'));

    # Names for those who do not see: as the browser computes them.
    my $all = of_session('POST', '/elements', { using => 'css selector', value => 'a[href], button, input, summary, [tabindex="0"]' });
    my @nameless;
    my $named = 0;
    for my $e (grep { defined } @$all[0 .. 20]) {
        my ($id) = values %$e;
        next unless js('return arguments[0].checkVisibility()', $e);
        my $label = of_session('GET', "/element/$id/computedlabel");
        my $tag = of_session('GET', "/element/$id/name");
        $label = js('return arguments[0].textContent', $e) if $label eq '' && $tag eq 'summary';
        if ($label eq '') { push @nameless, $tag } else { $named++ }
    }
    found(nameless => @nameless ? "@nameless" : $named > 8 ? 'none' : "only $named controls");
    found(structure => js('return [document.documentElement.lang, document.querySelectorAll("h1").length, document.querySelectorAll("main").length,' .
        '[...document.images].every((i) => i.alt.length > 5), document.querySelectorAll("[role=status]").length, [...document.querySelectorAll("th")].every((t) => t.scope)].join(" ")'));
    devtools('Emulation.setEmulatedMedia', { features => [ { name => 'prefers-color-scheme', value => 'dark' }, { name => 'prefers-reduced-motion', value => 'reduce' } ] });
    found(contrast_dark => js($contrast));
    found(motion => js('return getComputedStyle(document.querySelector("button")).transitionDuration'));
    my %cut; # with counts as long as a day makes them
    for my $width (map { 360 + 16 * $_ } reverse 0 .. 60) {
        devtools('Emulation.setDeviceMetricsOverride', { width => $width, height => 700, deviceScaleFactor => 1, mobile => JSON::PP::false });
        $cut{$_} //= $width for @{ js('for (const e of document.querySelectorAll("#counts dd")) e.textContent = "2,592,000"; return [...document.querySelectorAll("#counts dt, #counts dd")].filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)') };
    }
    found(cut => join(', ', map { "$_ at $cut{$_}" } sort keys %cut) || 'none');
    found(narrow => js('return document.documentElement.scrollWidth <= 360 ? "fits" : document.documentElement.scrollWidth'));

    my @severe = map { $_->{message} } grep { $_->{level} eq 'SEVERE' || $_->{level} eq 'WARNING' } @{ of_session('POST', '/se/log', { type => 'browser' }) };
    found(console => @severe ? join(' / ', @severe) : 'none');
    my (%elsewhere, $requests);
    for (@{ of_session('POST', '/se/log', { type => 'performance' }) }) {
        my $m = decode_json($_->{message})->{message};
        next unless $m->{method} eq 'Network.requestWillBeSent';
        my $to = $m->{params}{request}{url};
        $requests++;
        $elsewhere{$to} = 1 unless index($to, $url) == 0 || $to =~ /^(data|chrome|devtools|about):/;
    }
    found(requests => $requests // 0);
    found(elsewhere => %elsewhere ? join(' ', sort keys %elsewhere) : 'none');
    found(done => 'yes');
};
if ($@) { my $why = $@; $why =~ s/\s+/ /g; found(failed => $why); exit 1 }
