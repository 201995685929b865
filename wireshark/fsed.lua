-- FSED: a frame's metadata comes in packets, one run of bytes at its top and one at its bottom. Here they are put together on
-- their first visit, by the receiver's rule: bytes count that stand behind those before them. What was found is kept
-- for each packet, so that later visits, in any order, find the same.

local F = {}

do
  local RUN_MAX = 2 ^ 20  -- bytes of a run: four times what the tallest picture has
  local OPEN_MAX = 64     -- runs that wait for more
  local ENDED_MAX = 256   -- runs that are over, and whose packets may come again
  local KEPT_MAX = 2 ^ 26 -- bytes of all runs; of the oldest they are forgotten

  local open, open_n, ended, ended_n, records
  local kept, kept_from, kept_to, kept_bytes

  function F.init()
    open, open_n, ended, ended_n, records = {}, 0, {}, 0, {}
    kept, kept_from, kept_to, kept_bytes = {}, 1, 0, 0
  end

  local function keep(run, n)
    kept_bytes = kept_bytes + n
    while kept_bytes > KEPT_MAX and kept[kept_from] and kept[kept_from] ~= run do
      local old = kept[kept_from]
      kept_bytes = kept_bytes - old.held
      old.held, old.pieces, old.at = 0, nil, {}
      kept[kept_from] = nil
      kept_from = kept_from + 1
    end
  end

  local function shut(run, record)
    open[run.slot] = nil
    open_n = open_n - 1
    if not run.done then
      run.cut = true
      record.closed = record.closed or {}
      record.closed[#record.closed + 1] = run
    end
  end

  local function begin(slot, packet, number, record)
    if open_n >= OPEN_MAX then
      local _, other = next(open)
      shut(other, record)
    end
    local run = { slot = slot, stream = packet.stream, position = packet.position, first = number, n = 0, held = 0,
                  pieces = {}, at = {}, numbers = {}, holes = {} }
    open[slot] = run
    open_n = open_n + 1
    kept_to = kept_to + 1
    kept[kept_to] = run
    return run
  end

  local function append(run, from, raw, number)
    if from > run.n then
      run.holes[#run.holes + 1] = { run.n, from }
    end
    run.pieces[#run.pieces + 1] = { from, raw }
    run.at[from] = raw
    run.numbers[#run.numbers + 1] = number
    run.n = from + #raw
    run.held = run.held + #raw
    keep(run, #raw)
  end

  local function finish(run, id, number, is_last)
    run.done, run.done_id = number, id
    if is_last then
      open[run.slot] = nil
      open_n = open_n - 1
    end
    if ended_n >= ENDED_MAX then
      ended, ended_n = {}, 0
    end
    ended_n = ended_n + (ended[run.slot] and 0 or 1)
    ended[run.slot] = run
  end

  -- The run that these bytes are of, or nil and the reason.
  local function run_of(slot, packet, raw, number, record)
    local run = open[slot]
    for _, other in ipairs { run or false, ended[slot] or false } do
      if other and other.at[packet.offset] == raw then
        return nil, "again", other
      end
    end
    if packet.offset + #raw > RUN_MAX then
      return nil, "far"
    end
    if run and packet.offset < run.n then
      if packet.offset > 0 then
        return nil, "order"
      end
      shut(run, record)
      run = nil
    end
    run = run or begin(slot, packet, number, record)
    if not run.pieces then -- so many others came meanwhile that it was forgotten
      shut(run, record)
      return nil, "far"
    end
    return run
  end

  -- What became of a packet's bytes. is_last: no others follow; fits: function of a run, may it be whole?
  function F.take(visit, packet, raw, is_last, fits)
    local record = records[visit.id]
    if record or not visit.is_first then
      return record or {}
    end
    record = {}
    records[visit.id] = record
    local run, why, other = run_of(visit.key .. " " .. packet.stream .. " " .. packet.position, packet, raw, visit.number,
                                   record)
    record.run, record.why = run or other, why
    if run then
      record.missing = packet.offset - run.n
      append(run, packet.offset, raw, visit.number)
      run.done, run.done_id = nil, nil
      if is_last or #run.holes == 0 and fits(run) then
        finish(run, visit.id, visit.number, is_last)
      end
    end
    return record
  end

  -- A frame begins or ends: the runs that are over without having been whole.
  function F.boundary(visit)
    local record = records[visit.id]
    if record or not visit.is_first then
      return record and record.closed or {}
    end
    record = { closed = {} }
    local slots = {}
    for slot, run in pairs(open) do
      if slot:sub(1, #visit.key + 1) == visit.key .. " " then
        slots[#slots + 1] = slot
      end
    end
    table.sort(slots)
    for _, slot in ipairs(slots) do
      shut(open[slot], record)
    end
    if #record.closed > 0 then
      records[visit.id] = record
    end
    return record.closed
  end

  -- The bytes of a run, zeros where they did not come; nil: they were forgotten.
  function F.bytes(run)
    local parts, n = {}, 0
    for _, piece in ipairs(run.pieces or {}) do
      parts[#parts + 1] = ("\0"):rep(piece[1] - n)
      parts[#parts + 1] = piece[2]
      n = piece[1] + #piece[2]
    end
    return run.pieces and table.concat(parts)
  end

  -- The last bytes of a run that is open, n at most.
  function F.tail(run, n)
    local text, i = "", #run.pieces
    while i > 0 and #text < n do
      text = run.pieces[i][2] .. text
      i = i - 1
    end
    return text:sub(-n)
  end

  -- Did all of these bytes come?
  function F.has(run, from, to)
    for _, hole in ipairs(run.holes) do
      if from < hole[2] and hole[1] < to then
        return false
      end
    end
    return true
  end
end
