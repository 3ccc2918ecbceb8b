% Golden values of haarpsi and vif for ClassicMetricsTests.cs, by the authors' own programs in GNU Octave:
%
%   octave --no-gui -p PROGRAMS tests/Perceptual.Tests/Metrics/haarpsi_vif.m SHARED
%
% PROGRAMS is a folder with HaarPSI.m (github.com/rgcda/haarpsi) and vifp_mscale.m (LIVE, the University of Texas at
% Austin), unchanged. fspecial below is what MATLAB's is for 'gaussian', and gray is made as MATLAB's rgb2gray makes it.
% SHARED is the folder with the images of the golden values.
1;

function window = fspecial(kind, size, sigma)
  assert(strcmp(kind, 'gaussian'));
  [x, y] = meshgrid(-(size - 1) / 2 : (size - 1) / 2);
  window = exp(-(x .^ 2 + y .^ 2) / (2 * sigma ^ 2));
  window(window < eps * max(window(:))) = 0;
  window = window / sum(window(:));
end

function gray = to_gray(image)
  image = double(image);
  gray = floor(0.298936021293775 * image(:, :, 1) + 0.587043074451121 * image(:, :, 2) ...
    + 0.114020904255103 * image(:, :, 3) + 0.5);
end

names = {'ex_ref.png', 'ex_p0.png'; 'ex_ref.png', 'ex_p1.png'; 'pairs/0-ref.png', 'pairs/0-jpeg15.png'; ...
  'pairs/1-ref.png', 'pairs/1-blur2.png'; 'pairs/2-ref.png', 'pairs/2-noise20.png'; ...
  'pairs/3-ref.png', 'pairs/3-shift3.png'; 'calibration/I03-ref.bmp', 'calibration/I03-dist.bmp'; ...
  'calibration/I04-ref.bmp', 'calibration/I04-dist.bmp'; 'calibration/I06-ref.bmp', 'calibration/I06-dist.bmp'};
shared = argv(){end};
for i = 1 : rows(names)
  reference = imread(fullfile(shared, 'images', names{i, 1}));
  distorted = imread(fullfile(shared, 'images', names{i, 2}));
  printf('[InlineData("%s", %.16g, %.16g)]\n', names{i, 2}, HaarPSI(reference, distorted), ...
    vifp_mscale(to_gray(reference), to_gray(distorted)));
end
